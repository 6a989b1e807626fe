"""kubeadm: refuses what the real one refuses, writes the files that the kubelet reads, and starts it."""
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time

import yaml

import host
from store import Cluster, Lock, Refused, read, write
from version import VERSION

# https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/constants/constants.go
IMAGES = {'36': ('3.6.8-0', 'v1.14.2', '3.10.2'), '37': ('3.7.0-0', 'v1.14.6', '3.10.2')}
MINOR = VERSION.split('.')[1]
KUBERNETES = '/etc/kubernetes'
FORWARD = '/proc/sys/net/ipv4/ip_forward'
CONTROL_PLANE = 'node-role.kubernetes.io/control-plane'
KINDS = {
    'InitConfiguration': {'bootstrapTokens', 'localAPIEndpoint', 'nodeRegistration', 'certificateKey', 'skipPhases', 'patches', 'timeouts', 'dryRun'},
    'ClusterConfiguration': {
        'kubernetesVersion', 'controlPlaneEndpoint', 'networking', 'imageRepository', 'clusterName', 'apiServer', 'controllerManager',
        'scheduler', 'etcd', 'dns', 'proxy', 'certificatesDir', 'featureGates', 'encryptionAlgorithm', 'certificateValidityPeriod',
        'caCertificateValidityPeriod',
    },
    'JoinConfiguration': {'discovery', 'nodeRegistration', 'controlPlane', 'caCertPath', 'skipPhases', 'patches', 'timeouts', 'dryRun'},
    'UpgradeConfiguration': {'apply', 'node', 'plan', 'diff', 'timeouts'},
    'ResetConfiguration': {'force', 'criSocket', 'cleanupTmpDir', 'skipPhases', 'unmountFlags', 'certificatesDir', 'dryRun', 'ignorePreflightErrors'},
    'KubeletConfiguration': None, 'KubeProxyConfiguration': None,
}
NODE_FIELDS = {'name', 'criSocket', 'taints', 'kubeletExtraArgs', 'ignorePreflightErrors', 'imagePullPolicy', 'imagePullSerial'}
VALUED = {
    'config', 'kubernetes-version', 'apiserver-advertise-address', 'apiserver-bind-port', 'pod-network-cidr', 'service-cidr', 'token',
    'discovery-token-ca-cert-hash', 'certificate-key', 'control-plane-endpoint', 'cri-socket', 'node-name', 'ignore-preflight-errors',
    'image-repository', 'skip-phases', 'v', 'kubeconfig', 'ttl', 'patches', 'output', 'o',
}
SHORT = {'f': 'force', 'y': 'yes', 'o': 'output', 'v': 'v'}


def say(text):
    print(text, flush=True)


def parse(words):
    """Returns the flags and the words beside them."""
    flags, rest, words = {}, [], list(words)
    while words:
        word = words.pop(0)
        if not word.startswith('-'):
            rest.append(word)
            continue
        name, has_value, value = word.lstrip('-').partition('=')
        name = SHORT.get(name, name)
        if not has_value:
            value = words.pop(0) if name in VALUED and words else True
        flags[name] = value
    return flags, rest


def version_parts(version):
    return [int(part) for part in re.match(r'v?(\d+)\.(\d+)\.(\d+)', version).groups()]


def images_of(version, repository='registry.k8s.io'):
    etcd, dns, pause = IMAGES.get(version.lstrip('v').split('.')[1], IMAGES['37'])
    core = [f'{repository}/{name}:v{version.lstrip("v")}' for name in ('kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy')]
    dns_name = 'coredns/coredns' if repository == 'registry.k8s.io' else 'coredns'
    return [*core, f'{repository}/{dns_name}:{dns}', f'{repository}/pause:{pause}', f'{repository}/etcd:{etcd}']


# --- configuration -----------------------------------------------------------------------------------------------------


def documents(file):
    """Returns the documents of a configuration by their kinds; refuses what this version does not read."""
    text = sys.stdin.read() if file == '-' else read(file)
    if text is None:
        raise Refused(f'unable to read config from "{file}": open {file}: no such file or directory')
    found = {}
    for document in yaml.safe_load_all(text):
        if not document:
            continue
        kind, version = document.get('kind'), document.get('apiVersion', '')
        if kind not in KINDS:
            raise Refused(f'invalid configuration: kind and apiVersion is mandatory information that must be specified: {kind}')
        if version.startswith('kubeadm.k8s.io/'):
            known = ['kubeadm.k8s.io/v1beta3'] + (['kubeadm.k8s.io/v1beta4'] if int(MINOR) >= 31 else [])
            if version not in known:
                raise Refused(f'no kind "{kind}" is registered for version "{version}" in scheme "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/scheme/scheme.go"')
            if version != known[-1]:
                print(f'W1130 your configuration file uses a deprecated API spec: "{version}" (kind: "{kind}")', file=sys.stderr)
            check_fields(kind, version, document)
        found[kind] = document
    return found


def check_fields(kind, version, document):
    unknown = sorted(set(document) - {'apiVersion', 'kind'} - KINDS[kind])
    registration = document.get('nodeRegistration') or {}
    unknown += sorted(f'nodeRegistration.{name}' for name in set(registration) - NODE_FIELDS)
    if unknown:
        raise Refused(f'error unmarshaling configuration: strict decoding error: unknown field "{unknown[0]}"')
    arguments = registration.get('kubeletExtraArgs', [] if version.endswith('4') else {})
    if isinstance(arguments, list) != version.endswith('4'):
        raise Refused('json: cannot unmarshal into Go struct field NodeRegistrationOptions.nodeRegistration.kubeletExtraArgs')


def arguments_of(registration):
    given = registration.get('kubeletExtraArgs') or []
    if isinstance(given, dict):
        return given
    return {entry['name']: entry['value'] for entry in given}


def refuse_mixture(flags, names):
    mixed = [name for name in names if name in flags]
    if 'config' in flags and mixed:
        raise Refused(f'can not mix \'--config\' with arguments [{" ".join(mixed)}]')


class Plan:
    """What `kubeadm init` is to make, of flags or a configuration."""

    def __init__(self, flags):
        refuse_mixture(flags, ['kubernetes-version', 'apiserver-advertise-address', 'pod-network-cidr', 'token', 'control-plane-endpoint', 'node-name'])
        self.documents = documents(flags['config']) if 'config' in flags else {}
        init = self.documents.get('InitConfiguration', {})
        self.cluster = dict(self.documents.get('ClusterConfiguration', {}))
        self.registration = dict(init.get('nodeRegistration') or {})
        self.version = flags.get('kubernetes-version') or self.cluster.get('kubernetesVersion') or f'v{VERSION}'
        self.address = flags.get('apiserver-advertise-address') or (init.get('localAPIEndpoint') or {}).get('advertiseAddress')
        self.port = (init.get('localAPIEndpoint') or {}).get('bindPort', 6443)
        self.networking = dict(self.cluster.get('networking') or {})
        if 'pod-network-cidr' in flags:
            self.networking['podSubnet'] = flags['pod-network-cidr']
        self.endpoint = flags.get('control-plane-endpoint') or self.cluster.get('controlPlaneEndpoint')
        self.repository = self.cluster.get('imageRepository', 'registry.k8s.io')
        self.ignored = str(flags.get('ignore-preflight-errors', '')).lower().split(',') + [
            name.lower() for name in self.registration.get('ignorePreflightErrors', [])]
        self.tokens = [token['token'] for token in init.get('bootstrapTokens') or [] if 'token' in token]

    def complete(self):
        """Finds the address, as the real one does first of all."""
        self.address = self.address or host.default_address()
        if self.address is None:
            raise Refused('cannot use "0.0.0.0" as the bind address for the API Server')
        if self.address not in host.addresses():
            raise Refused(f'unable to select an IP: {self.address} is not an address of this machine')
        asked = version_parts(self.version)
        ours = version_parts(VERSION)
        if asked[1] > ours[1]:
            raise Refused(f'the requested version {self.version} is newer than this kubeadm v{VERSION}')
        if asked[1] < ours[1] - 1:
            raise Refused(f'this version of kubeadm only supports deploying clusters with the control plane version >= 1.{ours[1] - 1}.0. Current version: {self.version}')
        if self.endpoint and ':' not in self.endpoint:
            self.endpoint += ':6443'
        return self


# --- preflight ---------------------------------------------------------------------------------------------------------


def preflight(checks, ignored):
    """Runs checks: pairs of a name and what is wrong, or None. Says all that is wrong together."""
    say('[preflight] Running pre-flight checks')
    if host.swap_is_on():
        print('\t[WARNING Swap]: swap is supported for cgroup v2 only. The kubelet must be properly configured to use swap.', file=sys.stderr)
    if not shutil.which('systemctl') or subprocess.run(['systemctl', 'is-enabled', '-q', 'kubelet'], capture_output=True).returncode != 0:
        print("\t[WARNING Service-Kubelet]: kubelet service is not enabled, please run 'systemctl enable kubelet.service'", file=sys.stderr)
    wrong = [(name, text) for name, text in checks if text]
    for name, text in wrong:
        if name.lower() in ignored or 'all' in ignored:
            print(f'\t[WARNING {name}]: {text}', file=sys.stderr)
    wrong = [(name, text) for name, text in wrong if name.lower() not in ignored and 'all' not in ignored]
    if wrong:
        lines = ''.join(f'\t[ERROR {name}]: {text}\n' for name, text in wrong)
        raise Refused('[preflight] Some fatal errors occurred:\n' + lines +
                      '[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`')


def machine_checks():
    yield 'IsPrivilegedUser', None if os.geteuid() == 0 else 'user is not running as root'
    yield 'CRI', None if host.images() is not None else (
        f'could not connect to the container runtime: failed to create new CRI runtime service: validate service connection: validate CRI v1 '
        f'runtime API for endpoint "unix://{host.SOCKET}": rpc error: code = Unavailable')
    forward = (read(FORWARD) or '').strip()
    yield 'FileContent--proc-sys-net-ipv4-ip_forward', None if forward == '1' else f'{FORWARD} contents are not set to 1'
    for program in ('mount', 'cp'):
        yield f'FileExisting-{program}', None if shutil.which(program) else f'{program} not found in system path'


def kubelet_check(control_plane):
    said = host.output('kubelet', '--version')
    if said is None:
        return 'couldn\'t get kubelet version: executable file not found in $PATH'
    version = said.split()[1]
    if version_parts(version)[:2] <= version_parts(control_plane)[:2]:
        return None
    return (f'the kubelet version is higher than the control plane version. This is not a supported version skew and may lead to a malfunctional '
            f'cluster. Kubelet version: "{version[1:]}" Control plane version: "{control_plane.lstrip("v")}"')


def is_used(path, what):
    return f'{path} {what}' if os.path.exists(path) and (not os.path.isdir(path) or os.listdir(path)) else None


def pull_check(images, policy):
    """Returns why images are not there: a registry does not answer here."""
    if policy == 'Never':
        return None
    missing = [image for image in images if policy == 'Always' or image not in (host.images() or set())]
    lines = [f'failed to pull image {image}: failed to resolve reference: dial tcp: lookup registry: no such host' for image in missing]
    return '\n'.join(lines) or None


def init_checks(plan):
    yield from machine_checks()
    cores = os.cpu_count() or 1
    text = read('/proc/cpuinfo') or ''
    cores = len(re.findall(r'^processor', text, re.MULTILINE)) or cores
    yield 'NumCPU', None if cores >= 2 else f'the number of available CPUs {cores} is less than the required 2'
    yield 'Mem', None if host.memory() >= 1700 else f'the system RAM ({host.memory()} MB) is less than the minimum 1700 MB'
    for path in ('kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'):
        file = f'{host.MANIFESTS}/{path}.yaml'
        yield f'FileAvailable--etc-kubernetes-manifests-{path}.yaml', is_used(file, 'already exists')
    yield 'DirAvailable--var-lib-etcd', is_used('/var/lib/etcd', 'is not empty')
    is_taken = Lock.is_held(Cluster(plan.endpoint or f'{plan.address}:{plan.port}').path('servers', host.name() + '.lock'))
    yield f'Port-{plan.port}', f'Port {plan.port} is in use' if is_taken else None
    yield 'KubeletVersion', kubelet_check(plan.version)
    yield 'ImagePull', pull_check(images_of(plan.version, plan.repository), plan.registration.get('imagePullPolicy', 'IfNotPresent'))


# --- what it writes and starts -------------------------------------------------------------------------------------------


def write_kubeconfig(name, endpoint, mode=0o600):
    content = {
        'apiVersion': 'v1', 'kind': 'Config', 'clusters': [{'name': 'kubernetes', 'cluster': {'server': f'https://{endpoint}'}}],
        'contexts': [{'name': 'admin@kubernetes', 'context': {'cluster': 'kubernetes', 'user': 'admin'}}], 'current-context': 'admin@kubernetes',
        'users': [{'name': 'admin', 'user': {}}],
    }
    write(f'{KUBERNETES}/{name}', yaml.safe_dump(content), mode)


def write_manifests(version, repository):
    images = {re.search(r'/([^/:]+):[^/]*$', image)[1]: image for image in images_of(version, repository)}
    for name in ('etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'):
        pod = {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name, 'namespace': 'kube-system', 'labels': {'component': name, 'tier': 'control-plane'}},
               'spec': {'hostNetwork': True, 'containers': [{'name': name, 'image': images[name]}]}}
        write(f'{host.MANIFESTS}/{name}.yaml', yaml.safe_dump(pod), 0o600)
    write('/var/lib/etcd/member/snap/db', 'etcd', 0o600)


def start_kubelet(registration, kubelet_configuration):
    arguments = {'container-runtime-endpoint': registration.get('criSocket', f'unix://{host.SOCKET}'), **arguments_of(registration)}
    words = ' '.join(f'--{name}={value}' for name, value in arguments.items())
    write('/var/lib/kubelet/kubeadm-flags.env', f'KUBELET_KUBEADM_ARGS="{words}"\n')
    write('/var/lib/kubelet/config.yaml', yaml.safe_dump({
        'apiVersion': 'kubelet.config.k8s.io/v1beta1', 'kind': 'KubeletConfiguration', 'clusterDNS': ['10.96.0.10'], **kubelet_configuration}))
    say('[kubelet-start] Starting the kubelet')
    subprocess.run(['systemctl', 'daemon-reload'], check=False)
    subprocess.run(['systemctl', 'restart', 'kubelet'], check=False)


def wait_for(is_there, failure):
    """Waits for what the kubelet does, and no longer than it runs: the real one gives up after four minutes."""
    while not is_there():
        state = host.output('systemctl', 'show', '-p', 'SubState', '--value', 'kubelet') or 'dead'
        if state.strip() != 'running':
            raise Refused(failure)
        time.sleep(0.05)


def stop_kubelet():
    subprocess.run(['systemctl', 'stop', 'kubelet'], check=False)


def cluster_objects(plan, address):
    """Writes what kubeadm leaves in a new cluster."""
    cluster = Cluster(address)
    settings = {'apiVersion': 'kubeadm.k8s.io/v1beta4' if int(MINOR) >= 31 else 'kubeadm.k8s.io/v1beta3', 'kind': 'ClusterConfiguration', **{
        key: value for key, value in plan.cluster.items() if key not in ('apiVersion', 'kind')}}
    settings.update(kubernetesVersion=plan.version, networking={'serviceSubnet': '10.96.0.0/12', 'dnsDomain': 'cluster.local', **plan.networking},
                    imageRepository=plan.repository)
    if plan.endpoint:
        settings['controlPlaneEndpoint'] = plan.endpoint
    cluster.put({'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'kubeadm-config', 'namespace': 'kube-system'},
                 'data': {'ClusterConfiguration': yaml.safe_dump(settings)}})
    for name in ('default', 'kube-system', 'kube-public', 'kube-node-lease'):
        cluster.put({'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': name}, 'status': {'phase': 'Active'}})
    for name, namespace, ip in (('kubernetes', 'default', '10.96.0.1'), ('kube-dns', 'kube-system', '10.96.0.10')):
        cluster.put({'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': name, 'namespace': namespace}, 'spec': {'clusterIP': ip}})
    write_addons(cluster, plan.version, plan.repository)
    return cluster


def write_addons(cluster, version, repository):
    images = images_of(version, repository)
    for kind, name, image, label, spec in (
            ('DaemonSet', 'kube-proxy', images[3], 'kube-proxy', {'hostNetwork': True, 'tolerations': [{'operator': 'Exists'}]}),
            ('Deployment', 'coredns', images[4], 'kube-dns', {'tolerations': [{'key': CONTROL_PLANE}]})):
        template = {'metadata': {'labels': {'k8s-app': label}}, 'spec': {'containers': [{'name': name, 'image': image}], **spec}}
        thing = {'apiVersion': 'apps/v1', 'kind': kind, 'metadata': {'name': name, 'namespace': 'kube-system'},
                 'spec': {'selector': {'matchLabels': {'k8s-app': label}}, 'template': template}}
        if kind == 'Deployment':
            thing['spec']['replicas'] = 2
        cluster.put(thing)


def mark_control_plane(cluster, name, taints):
    node = cluster.get('node', None, name)
    node['metadata']['labels'][CONTROL_PLANE] = ''
    node['spec']['taints'] = [{'key': CONTROL_PLANE, 'effect': 'NoSchedule'}] if taints is None else taints
    cluster.put(node)


def new_token(cluster, token=None):
    token = token or f'{secrets.token_hex(3)}.{secrets.token_hex(8)}'
    write(cluster.path('tokens'), json.dumps([*cluster.tokens(), token]))
    return token


def join_line(cluster, token):
    return f'kubeadm join {cluster.address} --token {token} --discovery-token-ca-cert-hash {read(cluster.path("ca"))}'


# --- commands ------------------------------------------------------------------------------------------------------------


def init(flags, rest):
    plan = Plan(flags).complete()
    if rest[:2] == ['phase', 'upload-certs']:
        return upload_certs()
    say(f'[init] Using Kubernetes version: {plan.version}')
    if not rest or rest[:2] == ['phase', 'preflight']:
        preflight(init_checks(plan), plan.ignored)
    elif rest:
        raise Refused(f'the stand-in of kubeadm does not know: init {" ".join(rest)}')
    if rest or 'dry-run' in flags:
        return None
    address = plan.endpoint or f'{plan.address}:{plan.port}'
    folder = Cluster(address).folder
    shutil.rmtree(folder, ignore_errors=True)
    write(f'{KUBERNETES}/pki/ca.crt', secrets.token_hex(16), 0o644)
    write(f'{KUBERNETES}/pki/ca.key', secrets.token_hex(16), 0o600)
    write(os.path.join(folder, 'ca'), 'sha256:' + hashlib.sha256(read(f'{KUBERNETES}/pki/ca.crt').encode()).hexdigest())
    for name in ('admin.conf', 'super-admin.conf', 'kubelet.conf', 'controller-manager.conf', 'scheduler.conf'):
        write_kubeconfig(name, address)
    write_manifests(plan.version, plan.repository)
    start_kubelet(plan.registration, plan.documents.get('KubeletConfiguration', {}))
    cluster = Cluster(address)
    say('[wait-control-plane] Waiting for the kubelet to boot up the control plane as static Pods')
    wait_for(lambda: cluster.server_version() is not None,
             'cannot obtain client without bootstrap: unable to load bootstrap kubeconfig: context deadline exceeded')
    cluster_objects(plan, address)
    name = plan.registration.get('name') or host.name()
    wait_for(lambda: cluster.get('node', None, name) is not None, f'nodes "{name}" not found: context deadline exceeded')
    mark_control_plane(cluster, name, plan.registration.get('taints'))
    tokens = [new_token(cluster, token) for token in plan.tokens or [flags.get('token')]]
    shared = '--upload-certs' if 'upload-certs' in flags else None
    key = store_certificates(cluster) if shared else None
    say('\nYour Kubernetes control-plane has initialized successfully!\n')
    say('To start using your cluster, you need to run the following as a regular user:\n')
    say('Alternatively, if you are the root user, you can run:\n\n  export KUBECONFIG=/etc/kubernetes/admin.conf\n')
    if key:
        line = join_line(cluster, tokens[0]).replace(' --discovery', ' \\\n\t--discovery')
        say(f'  {line} \\\n\t--control-plane --certificate-key {key}\n')
    say('Then you can join any number of worker nodes by running the following on each as root:\n')
    say(join_line(cluster, tokens[0]).replace(' --discovery', ' \\\n\t--discovery'))
    return None


def here():
    """Returns the cluster of which this machine is a control plane, its API server running."""
    address = host.server_of(f'{KUBERNETES}/admin.conf')
    if address is None:
        raise Refused(f'failed to load admin kubeconfig: open {KUBERNETES}/admin.conf: no such file or directory')
    cluster = Cluster(address)
    cluster.require_server()
    return cluster


def store_certificates(cluster):
    key = secrets.token_hex(32)
    write(cluster.path('certificate-key'), key)
    return key


def upload_certs():
    key = store_certificates(here())
    say('[upload-certs] Storing the certificates in Secret "kubeadm-certs" in the "kube-system" Namespace')
    say(f'[upload-certs] Using certificate key:\n{key}')


def join(flags, rest):
    is_preflight = rest[:2] == ['phase', 'preflight']
    rest = rest[2:] if is_preflight else rest
    found = documents(flags['config']) if 'config' in flags else {}
    refuse_mixture(flags, ['token', 'discovery-token-ca-cert-hash', 'node-name'])
    configuration = found.get('JoinConfiguration', {})
    discovery = (configuration.get('discovery') or {}).get('bootstrapToken') or {}
    address = rest[0] if rest else discovery.get('apiServerEndpoint')
    token = flags.get('token') or discovery.get('token')
    hashes = [flags['discovery-token-ca-cert-hash']] if 'discovery-token-ca-cert-hash' in flags else discovery.get('caCertHashes', [])
    control_plane = configuration.get('controlPlane') or ({} if 'control-plane' in flags else None)
    key = flags.get('certificate-key') or (control_plane or {}).get('certificateKey')
    registration = configuration.get('nodeRegistration') or {}
    ignored = str(flags.get('ignore-preflight-errors', '')).lower().split(',')
    if not address or not token:
        raise Refused('discovery: Invalid value: "": bootstrapToken or file must be set')
    if not hashes and not discovery.get('unsafeSkipCAVerification'):
        raise Refused('discovery.bootstrapToken: Invalid value: "": using token-based discovery without caCertHashes can be unsafe')
    own = ((control_plane or {}).get('localAPIEndpoint') or {}).get('advertiseAddress') or flags.get('apiserver-advertise-address') or host.default_address()
    if control_plane is not None and own is None:
        raise Refused('cannot use "0.0.0.0" as the bind address for the API Server')
    cluster = Cluster(address)
    preflight(join_checks(cluster), ignored)
    if cluster.server_version() is None:
        raise Refused('couldn\'t validate the identity of the API Server: failed to request the cluster-info ConfigMap: '
                      f'Get "https://{address}/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s": context deadline exceeded')
    if token not in cluster.tokens():
        raise Refused('couldn\'t validate the identity of the API Server: could not find a JWS signature in the cluster-info ConfigMap '
                      f'for token ID "{token.partition(".")[0]}"')
    ca = read(cluster.path('ca'))
    if hashes and ca not in hashes:
        raise Refused(f'cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "{ca}" are pinned')
    settings = yaml.safe_load(cluster.settings())
    if control_plane is not None:
        if 'controlPlaneEndpoint' not in settings:
            raise Refused("unable to add a new control plane instance to a cluster that doesn't have a stable controlPlaneEndpoint address")
        if key is None or read(cluster.path('certificate-key')) != key:
            raise Refused('error execution phase control-plane-prepare/download-certs: error downloading certs: secrets "kubeadm-certs" not found')
        wrong = pull_check(images_of(settings['kubernetesVersion'], settings['imageRepository']), registration.get('imagePullPolicy', 'IfNotPresent'))
        if wrong:
            raise Refused(f'[preflight] Some fatal errors occurred:\n\t[ERROR ImagePull]: {wrong}')
    if is_preflight:
        return
    write(f'{KUBERNETES}/pki/ca.crt', 'authority', 0o644)
    write_kubeconfig('kubelet.conf', address)
    if control_plane is not None:
        for name in ('admin.conf', 'controller-manager.conf', 'scheduler.conf'):
            write_kubeconfig(name, address)
        write_manifests(settings['kubernetesVersion'], settings['imageRepository'])
    os.makedirs(host.MANIFESTS, exist_ok=True)
    start_kubelet(registration, found.get('KubeletConfiguration', {}))
    name = flags.get('node-name') or registration.get('name') or host.name()
    wait_for(lambda: cluster.is_alive(name) and cluster.get('node', None, name) is not None,
             'error execution phase kubelet-start: timed out waiting for the condition')
    if control_plane is not None:
        mark_control_plane(cluster, name, registration.get('taints'))
    say('\nThis node has joined the cluster:\n* Certificate signing request was sent to apiserver and a response was received.')
    say("\nRun 'kubectl get nodes' on the control-plane to see this node join the cluster.")


def join_checks(cluster):
    yield from machine_checks()
    yield 'FileAvailable--etc-kubernetes-kubelet.conf', is_used(f'{KUBERNETES}/kubelet.conf', 'already exists')
    yield 'FileAvailable--etc-kubernetes-pki-ca.crt', is_used(f'{KUBERNETES}/pki/ca.crt', 'already exists')
    yield 'DirAvailable--etc-kubernetes-manifests', is_used(host.MANIFESTS, 'is not empty')
    server = cluster.server_version()
    yield 'KubeletVersion', kubelet_check(server) if server else None


def upgrade(flags, rest):
    if rest[:1] == ['plan']:
        server = here().require_server()
        return say(f'[upgrade/versions] Cluster version: {server}\n[upgrade/versions] kubeadm version: v{VERSION}\n'
                   f'You can now apply the upgrade by executing the following command:\n\n\tkubeadm upgrade apply v{VERSION}')
    if rest[:1] == ['apply']:
        return upgrade_apply(flags, rest[1] if len(rest) > 1 else None)
    if rest[:1] == ['node']:
        return upgrade_node()
    raise Refused(f'unknown command "{" ".join(rest)}" for "kubeadm upgrade"')


def upgrade_apply(flags, target):
    found = documents(flags['config']) if 'config' in flags else {}
    target = target or (found.get('UpgradeConfiguration', {}).get('apply') or {}).get('kubernetesVersion')
    if target is None:
        raise Refused('missing one or more required arguments. Required arguments: [version]')
    cluster = here()
    server, wanted, ours = version_parts(cluster.require_server()), version_parts(target), version_parts(VERSION)
    reasons = []
    if wanted > ours:
        reasons.append(f'Specified version to upgrade to "{target}" is higher than the kubeadm version "v{VERSION}". Upgrade kubeadm first using the tool you used to install kubeadm')
    if wanted[1] > server[1] + 1:
        reasons.append(f'Specified version to upgrade to "{target}" is too high; kubeadm can upgrade only 1 minor version at a time')
    if wanted[1] < ours[1]:
        reasons.append(f'Kubeadm version v{VERSION} can only be used to upgrade to Kubernetes versions 1.{ours[1]}')
    if reasons:
        lines = ''.join(f'\n\t- {reason}' for reason in reasons)
        raise Refused(f'[upgrade/version] FATAL: the --version argument is invalid due to these fatal errors:\n{lines}\nPlease fix the misalignments '
                      'highlighted above and try upgrading again')
    if 'yes' not in flags and 'force' not in flags and not sys.stdin.isatty():
        raise Refused("[upgrade/confirm] Are you sure you want to proceed? [y/N]: won't proceed; the user didn't answer (Y|y) in order to continue")
    settings = yaml.safe_load(cluster.settings())
    wrong = pull_check(images_of(target, settings['imageRepository']),
                       (found.get('UpgradeConfiguration', {}).get('apply') or {}).get('imagePullPolicy', 'IfNotPresent'))
    if wrong:
        raise Refused(f'[preflight] Some fatal errors occurred:\n\t[ERROR ImagePull]: {wrong}')
    change_server(cluster, target, settings)
    settings['kubernetesVersion'] = target
    thing = cluster.get('configmap', 'kube-system', 'kubeadm-config')
    thing['data']['ClusterConfiguration'] = yaml.safe_dump(settings)
    cluster.put(thing)
    write_addons(cluster, target, settings['imageRepository'])
    say(f'\n[upgrade/successful] SUCCESS! Your cluster was upgraded to "{target}". Enjoy!')


def change_server(cluster, target, settings):
    write_manifests(target, settings['imageRepository'])
    say('[upgrade/staticpods] Waiting for the kubelet to restart the component')
    file = cluster.path('servers', host.name())
    wait_for(lambda: read(file) == target.lstrip('v'), '[upgrade/apply] FATAL: timed out waiting for the condition')


def upgrade_node():
    address = host.server_of(f'{KUBERNETES}/kubelet.conf')
    if address is None:
        raise Refused('failed to load kubelet.conf: this machine is part of no cluster')
    cluster = Cluster(address)
    cluster.require_server()
    settings = yaml.safe_load(cluster.settings())
    if version_parts(settings['kubernetesVersion'])[1] > version_parts(VERSION)[1]:
        raise Refused(f'this kubeadm v{VERSION} is older than the cluster, {settings["kubernetesVersion"]}')
    if os.path.exists(f'{host.MANIFESTS}/kube-apiserver.yaml'):
        change_server(cluster, settings['kubernetesVersion'], settings)
    say('[upgrade] The configuration for this node was successfully updated!\n[upgrade] Now you should go ahead and upgrade the kubelet package.')


def reset(flags, _):
    if 'force' not in flags:
        raise Refused('[reset] Are you sure you want to proceed? [y/N]: aborted reset operation')
    stop_kubelet()
    # Where the data of etcd is, the real one reads in etcd's manifest.
    of_etcd = ['/var/lib/etcd'] if read(f'{host.MANIFESTS}/etcd.yaml') else []
    for path in (*of_etcd, '/var/lib/kubelet', host.MANIFESTS, f'{KUBERNETES}/pki'):
        for inside in glob.glob(f'{path}/*'):
            shutil.rmtree(inside) if os.path.isdir(inside) else os.unlink(inside)
    for path in glob.glob(f'{KUBERNETES}/*.conf'):
        os.unlink(path)
    say('The reset process does not perform cleanup of CNI plugin configuration, network filtering rules and kubeconfig files.')


def token(flags, rest):
    cluster = here()
    if rest[:1] == ['list']:
        return say('\n'.join(['TOKEN', *cluster.tokens()]))
    made = new_token(cluster, rest[1] if len(rest) > 1 else None)
    extra = f' --control-plane --certificate-key {flags["certificate-key"]}' if 'certificate-key' in flags else ''
    return say(join_line(cluster, made) + extra if 'print-join-command' in flags else made)


def config(flags, rest):
    if rest == ['images', 'list']:
        found = documents(flags['config']).get('ClusterConfiguration', {}) if 'config' in flags else {}
        version = flags.get('kubernetes-version') or found.get('kubernetesVersion') or f'v{VERSION}'
        return say('\n'.join(images_of(version, flags.get('image-repository') or found.get('imageRepository', 'registry.k8s.io'))))
    if rest == ['validate']:
        documents(flags['config'])
        return say('ok')
    raise Refused(f'the stand-in of kubeadm does not know: config {" ".join(rest)}')


def version(flags, _):
    said = {'short': f'v{VERSION}', 'json': json.dumps({'clientVersion': {'gitVersion': f'v{VERSION}'}})}
    say(said.get(flags.get('output'), f'kubeadm version: &version.Info{{Major:"1", Minor:"{MINOR}", GitVersion:"v{VERSION}"}}'))


COMMANDS = {'init': init, 'join': join, 'upgrade': upgrade, 'reset': reset, 'token': token, 'config': config, 'version': version}


def main(words):
    flags, rest = parse(words)
    if not rest or rest[0] not in COMMANDS:
        raise Refused(f'unknown command "{" ".join(words)}" for "kubeadm"\nTo see the stack trace of this error execute with --v=5 or higher')
    COMMANDS[rest[0]](flags, rest[1:])
