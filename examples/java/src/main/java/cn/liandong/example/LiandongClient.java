package cn.liandong.example;

import cn.liandong.v1.CaseFacts;
import cn.liandong.v1.CaseRecord;
import cn.liandong.v1.CaseServiceGrpc;
import cn.liandong.v1.CreateCaseRequest;
import cn.liandong.v1.CreateCaseResponse;
import cn.liandong.v1.DataLevel;
import cn.liandong.v1.Date;
import cn.liandong.v1.ListCasesRequest;
import cn.liandong.v1.Location;
import cn.liandong.v1.Medium;
import cn.liandong.v1.Party;
import cn.liandong.v1.PartyType;
import cn.liandong.v1.Source;
import cn.liandong.v1.Violation;
import cn.liandong.v1.WatchCasesRequest;
import cn.liandong.v1.WatchCasesResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Iterator;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * What a city's own system needs to talk to its liandong node.
 *
 * <p>Three habits make it safe on a bad network: every write carries a request id and is sent again
 * until an answer comes; a watch goes on behind the last cursor it has seen; a refusal is read from
 * its details ({@link Refusal}), never from its text.
 */
public final class LiandongClient implements AutoCloseable {
  private static final long CALL_TIMEOUT_S = 30;
  private static final long WAIT_FIRST_MS = 200;
  private static final long WAIT_LONGEST_MS = 15_000;

  private final ManagedChannel channel;
  private final CaseServiceGrpc.CaseServiceBlockingStub cases;

  /** Connects to {@code host:port}; all files are PEM, the key PKCS#8. */
  public LiandongClient(String api, File ca, File cert, File key) throws IOException {
    var tls = GrpcSslContexts.forClient()
        .trustManager(ca)
        .keyManager(cert, key)
        .protocols("TLSv1.3"); // A node speaks nothing older.
    channel = NettyChannelBuilder.forTarget(api)
        .sslContext(tls.build())
        .keepAliveTime(30, TimeUnit.SECONDS)
        .build();
    var headers = new Metadata();
    headers.put(Metadata.Key.of("accept-language", Metadata.ASCII_STRING_MARSHALLER), "zh-CN");
    cases = CaseServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /** Reports a clue. Sent again, with the same request id, until an answer comes. */
  public CreateCaseResponse create(String parent, String title, String longitude, String latitude,
      int county) throws Refusal, InterruptedException {
    var today = LocalDate.now(ZoneId.of("Asia/Shanghai")); // The legal day is Beijing's.
    var facts = CaseFacts.newBuilder()
        .setSource(Source.SOURCE_COMPLAINT)
        .setMedium(Medium.MEDIUM_WATER)
        .setViolation(Violation.VIOLATION_OUTFALL_ILLEGAL)
        .setCountyCode(county)
        .setDiscoverTimeMs(Instant.now().toEpochMilli())
        .setOccurredFrom(Date.newBuilder()
            .setYear(today.getYear()).setMonth(today.getMonthValue()).setDay(today.getDayOfMonth()))
        .setDataLevel(DataLevel.DATA_LEVEL_GENERAL);
    var record = CaseRecord.newBuilder()
        .setTitle(title)
        .setSummary("群众反映有暗管向界河排水")
        .setLocation(Location.newBuilder()
            .setLongitude(longitude).setLatitude(latitude).setCrs("EPSG:4490")
            .setAddress("示例村北侧"))
        .setParty(Party.newBuilder().setType(PartyType.PARTY_TYPE_UNKNOWN));
    var request = CreateCaseRequest.newBuilder()
        .setParent(parent)
        .setFacts(facts)
        .setRecord(record)
        .setRequestId(UUID.randomUUID().toString())
        .build();
    var deadline = Instant.now().plusSeconds(60);
    for (long wait = WAIT_FIRST_MS; ; wait = Math.min(wait * 2, WAIT_LONGEST_MS)) {
      try {
        return cases.withDeadlineAfter(CALL_TIMEOUT_S, TimeUnit.SECONDS).createCase(request);
      } catch (StatusRuntimeException error) {
        Refusal.throwIfRefused(error);
        if (Instant.now().isAfter(deadline)) {
          throw error;
        }
        Thread.sleep(wait);
      }
    }
  }

  /** The cursor as of now: a watch from it misses nothing that comes later. */
  public String cursor(String parent) throws Refusal {
    try {
      return cases.withDeadlineAfter(CALL_TIMEOUT_S, TimeUnit.SECONDS)
          .listCases(ListCasesRequest.newBuilder().setParent(parent).setPageSize(1).build())
          .getCursor();
    } catch (StatusRuntimeException error) {
      Refusal.throwIfRefused(error);
      throw error;
    }
  }

  /**
   * Hands on changes behind {@code cursor} until {@code onChange} returns false, over as many
   * connections as needed. Keep the cursor of a change together with what you made of it. A refusal
   * with reason CURSOR_GONE means: list again and watch from the list's cursor.
   */
  public void watch(String parent, String cursor, Predicate<WatchCasesResponse> onChange)
      throws Refusal, InterruptedException {
    String behind = cursor.isEmpty() ? cursor(parent) : cursor;
    long wait = WAIT_FIRST_MS;
    while (true) {
      try {
        Iterator<WatchCasesResponse> changes = cases.watchCases(
            WatchCasesRequest.newBuilder().setParent(parent).setCursor(behind).build());
        while (changes.hasNext()) {
          WatchCasesResponse change = changes.next();
          if (!change.getHeartbeat() && !onChange.test(change)) {
            return;
          }
          behind = change.getCursor();
          wait = WAIT_FIRST_MS;
        }
      } catch (StatusRuntimeException error) {
        Refusal.throwIfRefused(error);
      }
      Thread.sleep(wait);
      wait = Math.min(wait * 2, WAIT_LONGEST_MS);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
