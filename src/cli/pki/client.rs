//! What a client needs: a profile for the command line, and the lines for Java, Python and C#.

use std::path::Path;

/// Where the api port listens unless said otherwise.
pub(super) const API_DEFAULT: &str = "127.0.0.1:7444";

/// `client.toml` of somebody whose files lie in `certs/` beside it.
pub(super) fn profile(api: &str, name: &str) -> String {
    format!(
        "# liandong client profile · 客户端设置\napi = \"{api}\"\ncert = \"certs/{name}.pem\"\n\
         key = \"certs/{name}.key\"\nca = \"certs/ca.pem\"\n"
    )
}

/// The lines that open a channel in three languages.
pub(super) fn snippets(api: &str, certs: &Path, name: &str) -> String {
    let certs = certs.display().to_string();
    let certs = certs.trim_end_matches('/');
    let (host, port) = api.rsplit_once(':').unwrap_or((api, "7444"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    format!(
        "Python (grpcio):\n  \
         import grpc\n  \
         pem = lambda f: open(\"{certs}/\" + f, \"rb\").read()\n  \
         creds = grpc.ssl_channel_credentials(\n      \
         pem(\"ca.pem\"), pem(\"{name}.key\"), pem(\"{name}.pem\"))\n  \
         channel = grpc.secure_channel(\"{api}\", creds)\n\n\
         Java (grpc-netty):\n  \
         SslContext tls = GrpcSslContexts.forClient()\n      \
         .trustManager(new File(\"{certs}/ca.pem\"))\n      \
         .keyManager(new File(\"{certs}/{name}.pem\"), new File(\"{certs}/{name}.key\"))\n      \
         .build();\n  \
         ManagedChannel channel =\n      \
         NettyChannelBuilder.forAddress(\"{host}\", {port}).sslContext(tls).build();\n\n\
         C# (Grpc.Net.Client):\n  \
         var ca = X509Certificate2.CreateFromPem(File.ReadAllText(\"{certs}/ca.pem\"));\n  \
         var me = X509Certificate2.CreateFromPemFile(\n      \
         \"{certs}/{name}.pem\", \"{certs}/{name}.key\");\n  \
         var tls = new SslClientAuthenticationOptions {{\n      \
         ClientCertificates = new X509CertificateCollection {{ me }},\n      \
         CertificateChainPolicy = new X509ChainPolicy {{\n          \
         TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = {{ ca }},\n          \
         RevocationMode = X509RevocationMode.NoCheck }} }};\n  \
         var channel = GrpcChannel.ForAddress(\"https://{api}\", new GrpcChannelOptions {{\n      \
         HttpHandler = new SocketsHttpHandler {{ SslOptions = tls }} }});"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_name_the_files_and_the_address() {
        let text = snippets("10.1.2.3:7444", Path::new("dir/certs/"), "system");
        for want in [
            "grpc.secure_channel(\"10.1.2.3:7444\", creds)",
            "forAddress(\"10.1.2.3\", 7444)",
            "GrpcChannel.ForAddress(\"https://10.1.2.3:7444\"",
            "dir/certs/system.key",
        ] {
            assert!(text.contains(want), "{want}\n{text}");
        }
        assert!(toml::from_str::<toml::Table>(&profile("a:1", "system")).is_ok());
    }
}
