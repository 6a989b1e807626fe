#!/bin/sh
# Stands in for swapon: shows what /run/machine/swaps has, and turns nothing on.
case "$*" in
  --show*--noheadings* | --noheadings*--show*) sed 1d /run/machine/swaps ;;
  --show* | -s | --summary) if [ "$(grep -c . /run/machine/swaps)" -gt 1 ]; then cat /run/machine/swaps; fi ;;
  *) exit 1 ;;
esac
