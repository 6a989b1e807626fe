"""What the programs see of the machine that they run on."""
import fcntl
import os
import re
import socket
import struct
import subprocess

import yaml

from store import read

SOCKET = '/run/containerd/containerd.sock'
DATABASE = '/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db'
MANIFESTS = '/etc/kubernetes/manifests'
CNI = '/etc/cni/net.d'
SIOCGIFADDR = 0x8915
known = (None, None)


def output(*words):
    """Returns what a program prints, or None where it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def name():
    return os.uname().nodename.lower()


def images():
    """Returns the names of all images that containerd has for Kubernetes, or None where it does not answer."""
    # A kubelet asks all the time, and ctr takes its own.
    global known
    try:
        changed = os.stat(DATABASE).st_mtime_ns
    except OSError:
        changed = None
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(SOCKET)
        except OSError:
            # ctr would go on trying.
            return None
    if changed is not None and known[0] == changed:
        return known[1]
    listed = output('ctr', '--connect-timeout', '10s', '--address', SOCKET, '-n', 'k8s.io', 'images', 'ls', '-q')
    known = (changed, None if listed is None else set(listed.split()))
    return known[1]


def number(address):
    return int.from_bytes(socket.inet_aton(address), 'little')


def routes():
    """Returns interface, destination and mask of each route, the narrowest first."""
    rows = [line.split() for line in (read('/proc/net/route') or '').splitlines()[1:]]
    found = [(row[0], int(row[1], 16), int(row[7], 16)) for row in rows]
    return sorted(found, key=lambda row: -bin(row[2]).count('1'))


def address_of(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            answer = fcntl.ioctl(asked, SIOCGIFADDR, struct.pack('256s', interface.encode()))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def default_address():
    """Returns the address of the interface with the default route, or None."""
    interface = next((name for name, destination, mask in routes() if destination == mask == 0), None)
    return interface and address_of(interface)


def addresses():
    return [address for _, name in socket.if_nameindex() if (address := address_of(name))]


def reaches(address):
    """Returns whether there is a route to an address."""
    return any(number(address) & mask == destination for _, destination, mask in routes())


def swap_is_on():
    return len((read('/proc/swaps') or '').splitlines()) > 1


def memory():
    """Returns the megabytes of memory."""
    return int(re.search(r'MemTotal: *(\d+)', read('/proc/meminfo') or '')[1]) // 1024


def has_network():
    """Returns whether a network of pods is configured."""
    return os.path.isdir(CNI) and any(re.search(r'\.(conf|conflist|json)$', file) for file in os.listdir(CNI))


def has_conntrack():
    # The host's own kernel may not have the module, whose file would show it.
    return 'nf_conntrack ' in (read('/run/machine/modules') or '')


def static_images():
    """Returns the images of the static pods, by the names of their manifests."""
    if not os.path.isdir(MANIFESTS):
        return {}
    found = {}
    for file in sorted(os.listdir(MANIFESTS)):
        text = read(os.path.join(MANIFESTS, file))
        if file.endswith('.yaml') and text:
            found[file[:-5]] = yaml.safe_load(text)['spec']['containers'][0]['image']
    return found


def server_of(kubeconfig):
    """Returns the address that a kubeconfig names, such as 10.99.0.11:6443, or None."""
    text = read(kubeconfig)
    if text is None:
        return None
    return yaml.safe_load(text)['clusters'][0]['cluster']['server'].replace('https://', '')
