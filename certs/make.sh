#!/bin/sh
# Makes keys and certificates for trying out: one folder with everything a city needs.
# Usage: certs/make.sh CITY [DIR]        e.g. certs/make.sh 371500 /tmp/371500
# LIANDONG names the program when it is not on the path.
set -eu
city=${1:?usage: certs/make.sh CITY [DIR]}
dir=${2:-$city}
exec "${LIANDONG:-liandong}" pki init --city "$city" --dir "$dir"
