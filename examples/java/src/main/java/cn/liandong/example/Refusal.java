package cn.liandong.example;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;

/** The node said no; nothing was changed. {@link #reason} is stable, the message is for people. */
public final class Refusal extends Exception {
  private static final long serialVersionUID = 1L;

  /** A reason of the published table, such as OUTSIDE_BELT. */
  public final String reason;

  /** Fields at fault, as {@code field: what is wrong}. */
  public final transient List<String> fields;

  private Refusal(String reason, String message, List<String> fields, Throwable cause) {
    super(message, cause);
    this.reason = reason;
    this.fields = fields;
  }

  /** Does nothing when the node itself did not speak: not connected, or the connection broke. */
  static void throwIfRefused(StatusRuntimeException error) throws Refusal {
    var status = StatusProto.fromThrowable(error);
    if (status == null || status.getDetailsCount() == 0) {
      return;
    }
    String reason = "";
    String message = status.getMessage();
    var fields = new ArrayList<String>();
    try {
      for (Any detail : status.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          reason = detail.unpack(ErrorInfo.class).getReason();
        } else if (detail.is(LocalizedMessage.class)) {
          message = detail.unpack(LocalizedMessage.class).getMessage();
        } else if (detail.is(BadRequest.class)) {
          for (var field : detail.unpack(BadRequest.class).getFieldViolationsList()) {
            fields.add(field.getField() + ": " + field.getDescription());
          }
        }
      }
    } catch (InvalidProtocolBufferException unreadable) {
      error.addSuppressed(unreadable);
    }
    throw new Refusal(reason, message, fields, error);
  }
}
