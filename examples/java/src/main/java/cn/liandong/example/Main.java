package cn.liandong.example;

import java.io.File;
import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A command line over {@link LiandongClient}.
 *
 * <pre>
 * Main API CA CERT KEY create PARENT TITLE [LONGITUDE LATITUDE COUNTY]
 * Main API CA CERT KEY watch PARENT [COUNT [CURSOR]]
 * </pre>
 *
 * <p>Prints tab-separated lines: cursor or etag, name, title. Exit code 2: refused, 3: no answer.
 */
public final class Main {
  private Main() {}

  private static final PrintStream OUT =
      new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

  public static void main(String[] args) throws Exception {
    if (args.length < 6) {
      System.err.println("Main API CA CERT KEY create PARENT TITLE | watch PARENT [COUNT [CURSOR]]");
      System.exit(64);
    }
    int code = 0;
    try (var client = new LiandongClient(
        args[0], new File(args[1]), new File(args[2]), new File(args[3]))) {
      if (args[4].equals("create")) {
        create(client, args);
      } else {
        watch(client, args);
      }
    } catch (Refusal refusal) {
      System.err.println(refusal.reason + "\t" + refusal.getMessage() + "\t" + refusal.fields);
      code = 2;
    } catch (io.grpc.StatusRuntimeException error) {
      System.err.println(error.getStatus());
      code = 3;
    }
    System.exit(code);
  }

  private static void create(LiandongClient client, String[] args) throws Exception {
    boolean placed = args.length > 9;
    var made = client.create(args[5], args[6],
        placed ? args[7] : "115.329563", placed ? args[8] : "36.531049",
        placed ? Integer.parseInt(args[9]) : 371525).getCase();
    OUT.println(String.join("\t", made.getEtag(), made.getName(), made.getRecord().getTitle()));
  }

  private static void watch(LiandongClient client, String[] args) throws Exception {
    int count = args.length > 6 ? Integer.parseInt(args[6]) : Integer.MAX_VALUE;
    var seen = new AtomicInteger();
    client.watch(args[5], args.length > 7 ? args[7] : "", change -> {
      var of = change.getCase();
      OUT.println(String.join("\t", change.getCursor(), of.getName(), of.getRecord().getTitle()));
      return seen.incrementAndGet() < count;
    });
  }
}
