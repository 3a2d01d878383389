#!/bin/sh
# The demo on `toy`, with the command of an installed wheel and outside any checkout: tests/support/wheel_demo.sh ESPALIER
set -eu
espalier=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$espalier" --version
"$espalier" init demo --task toy
"$espalier" calibrate demo
"$espalier" run demo --model standin --trials 3
"$espalier" log demo
"$espalier" verify demo
