"""kubeadm, kubelet and kubectl in one archive: what it is, its name says."""
import importlib
import os
import sys

from store import Refused

try:
    importlib.import_module(os.path.basename(sys.argv[0])).main(sys.argv[1:])
except Refused as refused:
    print(refused, file=sys.stderr)
    sys.exit(1)
