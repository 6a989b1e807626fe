"""What a cluster holds: a folder below /srv/lan, which machines of a LAN share, named by the address of its API server.

An object is a JSON file. A server or a kubelet runs while a process holds the lock of its file, so one that was killed or lost
its power is gone without a word, as a real one.
"""
import fcntl
import json
import os
import tempfile

LAN = '/srv/lan'


class Refused(Exception):
    """What a program says before it ends with status 1."""


class Lock:
    """A lock that its process holds until it ends."""

    def __init__(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.file = open(path, 'a+')
        fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @staticmethod
    def is_held(path):
        if not os.path.exists(path):
            return False
        with open(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def write(path, text, mode=0o644):
    """Writes a file beside its place and renames it, so that nobody reads half of it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix='.new-')
    with os.fdopen(handle, 'w') as file:
        file.write(text)
    os.chmod(temporary, mode)
    os.rename(temporary, path)


def read(path, otherwise=None):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return otherwise


class Cluster:
    """The cluster whose API server is at an address, such as 10.99.0.11:6443."""

    def __init__(self, address):
        self.address = address
        self.folder = os.path.join(LAN, address)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def server_version(self):
        """Returns the version of an API server that runs, or None."""
        folder = self.path('servers')
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if name.endswith('.lock') and Lock.is_held(os.path.join(folder, name)):
                return read(os.path.join(folder, name[:-5]))
        return None

    def require_server(self):
        proxy = os.environ.get('HTTPS_PROXY') or os.environ.get('https_proxy')
        if proxy:
            raise Refused(f'Unable to connect to the server: proxyconnect tcp: dial tcp: lookup {proxy}: no such host')
        version = self.server_version()
        if version is None:
            raise Refused(f'The connection to the server {self.address} was refused - did you specify the right host or port?')
        return version

    def is_alive(self, node):
        return Lock.is_held(self.path('kubelets', f'{node}.lock'))

    # Objects: kind in lower case and in the singular.
    def file(self, kind, namespace, name):
        return self.path('objects', kind, f'{namespace or "-"}_{name}'.replace('/', '~'))

    def put(self, thing):
        meta = thing['metadata']
        write(self.file(thing['kind'].lower(), meta.get('namespace'), meta['name']), json.dumps(thing))

    def get(self, kind, namespace, name):
        text = read(self.file(kind, namespace, name))
        return None if text is None else self.seen(json.loads(text))

    def drop(self, kind, namespace, name):
        try:
            os.unlink(self.file(kind, namespace, name))
        except FileNotFoundError:
            pass

    def all(self, kind, namespace=None):
        folder = self.path('objects', kind)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        texts = [read(os.path.join(folder, name)) for name in names if not name.startswith('.')]
        things = [self.seen(json.loads(text)) for text in texts if text is not None]
        return [thing for thing in things if namespace is None or thing['metadata'].get('namespace') == namespace]

    def seen(self, thing):
        """Returns an object as the API server shows it: of a node whose kubelet is gone nothing is known."""
        if thing['kind'] == 'Node' and not self.is_alive(thing['metadata']['name']):
            for condition in thing['status']['conditions']:
                condition.update(status='Unknown', reason='NodeStatusUnknown')
        return thing

    def tokens(self):
        return json.loads(read(self.path('tokens'), '[]'))

    def settings(self):
        """Returns the text of the ClusterConfiguration that kubeadm wrote down."""
        return self.get('configmap', 'kube-system', 'kubeadm-config')['data']['ClusterConfiguration']
