#!/usr/bin/env bash
# The Java example: compiled, and run against two real nodes. The only step that may say "not built
# in this run": Maven's and Debian's archives are not reachable everywhere.
set -eu
cd "$(dirname "$0")/../.."
here="$PWD/target/ci/java"
mkdir -p "$here"
rm -f "$here/run"

# Writes the command the test runs: class path, then options of java.
launcher() {
  printf '#!/bin/sh\n%sexec java %s -cp "%s" cn.liandong.example.Main "$@"\n' "$3" "$2" "$1" \
    >"$here/run"
  chmod +x "$here/run"
}

not_built() {
  echo "not built in this run: $1"
  exit 0
}

# As its readers build it.
with_maven() {
  local log="$here/maven.log"
  command -v mvn >/dev/null || { echo "no mvn here"; return 1; }
  timeout 300 mvn -q -B -f examples/java dependency:build-classpath \
    -Dmdep.outputFile="$here/maven.classpath" >"$log" 2>&1 || {
    echo "no Maven Central: $(grep -m1 -oE 'Plugin [^ ]+|Could not (transfer|resolve)[^(]{0,80}|No plugin found[^(]{0,60}' "$log" || echo "see $log")"
    return 1
  }
  mvn -q -B -f examples/java package -DskipTests || exit 2
  launcher "$PWD/examples/java/target/classes:$(cat "$here/maven.classpath")" "" ""
  echo "built with Maven"
}

# Debian's packages, unpacked beside the rest: nothing is installed and no root is needed.
debian="libgrpc-java libprotobuf-java libnetty-java libguava-java libgoogle-common-protos-java
  libperfmark-java libgeronimo-annotation-1.3-spec-java libopencensus-java libjsr305-java
  libgoogle-gson-java libnetty-tcnative-java libnetty-tcnative-jni libapr1 protobuf-compiler
  libprotoc32 libprotobuf32 libprotobuf-dev protobuf-compiler-grpc-java-plugin"

fetch_debian() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo "no Debian here"; return 1; }
  [ -e "$here/root/.complete" ] && return 0
  rm -rf "$here/debs" "$here/root"
  mkdir -p "$here/debs" "$here/root"
  # shellcheck disable=SC2086 # A list of words.
  (cd "$here/debs" && apt-get -q download $debian) >"$here/apt.log" 2>&1 || {
    echo "Debian's packages are not reachable: $(grep -m1 '^E:' "$here/apt.log")"
    return 1
  }
  for deb in "$here"/debs/*.deb; do dpkg -x "$deb" "$here/root"; done
  # Debian's netty has no ALPN over the JDK, and asks for its OpenSSL binding by upstream's name.
  local jni
  jni=$(dirname "$(find "$here/root/usr/lib" -name libnetty-tcnative.so)")
  cp "$jni/libnetty-tcnative.so" "$jni/libnetty_tcnative.so"
  touch "$here/root/.complete"
}

with_debian() {
  local jars protoc lib gen="$here/gen" classes="$here/classes"
  command -v javac >/dev/null || { echo "no javac here"; return 1; }
  fetch_debian || return 1
  protoc=$(find "$here/root/usr/bin" -name protoc)
  jars=$(find "$here/root/usr/share/java" -name '*.jar' ! -name 'netty-all*' ! -name 'samples*' \
    | sort | tr '\n' ':')
  rm -rf "$gen" "$classes"
  mkdir -p "$gen" "$classes"
  lib=$(dirname "$(find "$here/root/usr/lib" -name 'libprotoc.so*' | head -1)")
  export LD_LIBRARY_PATH="$lib"
  "$protoc" "--plugin=protoc-gen-grpc-java=$here/root/usr/bin/grpc_java_plugin" \
    -Iproto "-I$here/root/usr/include" "--java_out=$gen" "--grpc-java_out=$gen" \
    proto/liandong/v1/*.proto || exit 2
  # Debian's classes of google/rpc are older than ErrorInfo; ours come first on the class path.
  "$protoc" -Iproto "-I$here/root/usr/include" "--java_out=$gen" \
    proto/google/rpc/error_details.proto || exit 2
  unset LD_LIBRARY_PATH
  find "$gen" examples/java/src -name '*.java' >"$here/sources"
  javac -nowarn -Xlint:-options -encoding UTF-8 --release 11 -d "$classes" -cp "$jars" \
    "@$here/sources" || exit 2
  launcher "$classes:$jars" "-Djava.library.path=$lib/jni" \
    "LD_LIBRARY_PATH='$lib' "
  echo "built with javac and Debian's grpc-java ($maven)"
}

# A function that returns 1 could not reach what it needs; one that exits found a fault of ours.
attempt() {
  local status=0
  said=$("$1") || status=$?
  [ -x "$here/run" ] || [ "$status" -eq 1 ] || { echo "$said"; exit "$status"; }
  return "$status"
}

if attempt with_maven; then
  echo "$said"
else
  maven=$said
  attempt with_debian || not_built "$maven; $said"
  echo "$said"
fi

out=$(LIANDONG_NO_SKIP=1 cargo test --test it foreign::java -- --nocapture --test-threads 2 2>&1) || {
  printf '%s\n' "$out"
  exit 1
}
printf '%s\n' "$out" | grep -oE '(ok   java: |test result).*'
[ "$(printf '%s\n' "$out" | grep -cE 'ok   java: ')" -ge 4 ]
