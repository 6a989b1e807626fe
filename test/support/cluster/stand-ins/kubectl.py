"""kubectl: shows and changes the objects of a cluster whose API server runs."""
import json
import os
import re
import sys
import time

import yaml

import host
import jsonpath
from store import Cluster, Refused, read, write
from version import VERSION

# Nobody wants to see a test wait as long as a person would.
LONGEST_SECONDS = 20
KINDS = {
    'no': 'node', 'po': 'pod', 'ds': 'daemonset', 'deploy': 'deployment', 'svc': 'service', 'cm': 'configmap', 'ns': 'namespace', 'ep': 'endpoints',
    'sa': 'serviceaccount', 'crd': 'customresourcedefinition',
}
WITHOUT_NAMESPACE = {
    'node', 'namespace', 'clusterrole', 'clusterrolebinding', 'customresourcedefinition', 'apiservice', 'priorityclass', 'storageclass',
}
BOOLEAN = {
    'all', 'all-namespaces', 'A', 'no-headers', 'now', 'force', 'ignore-not-found', 'i', 't', 'it', 'stdin', 'tty', 'rm', 'command', 'overwrite',
    'server-side', 'force-conflicts', 'ignore-daemonsets', 'delete-emptydir-data', 'client', 'short', 'recursive', 'raw-config', 'quiet', 'q', 'R', 'dry-run',
    'show-labels', 'previous',
}
SHORT = {'n': 'namespace', 'l': 'selector', 'o': 'output', 'f': 'filename', 'A': 'all-namespaces', 'c': 'container', 'R': 'recursive'}


def parse(words):
    """Returns the flags, the words beside them, and what follows `--`."""
    flags, rest, words = {}, [], list(words)
    while words:
        word = words.pop(0)
        if word == '--':
            return flags, rest, words
        if not word.startswith('-') or word == '-':
            rest.append(word)
            continue
        name, has_value, value = word.lstrip('-').partition('=')
        if not word.startswith('--') and len(name) > 1 and name[0] in 'nlofc' and not has_value and name not in BOOLEAN:
            name, value, has_value = name[0], name[1:], True
        name = SHORT.get(name, name)
        if not has_value:
            value = True if name in BOOLEAN else words.pop(0)
        flags[name] = value
    return flags, rest, []


def seconds(text):
    if text is None:
        return LONGEST_SECONDS
    units = {'h': 3600, 'm': 60, 's': 1, '': 1}
    return min(LONGEST_SECONDS, sum(int(number) * units[unit] for number, unit in re.findall(r'(\d+)([hms]?)', text)))


def kind_of(word):
    word = word.lower().partition('.')[0]
    return KINDS.get(word) or (word[:-1] if word.endswith('s') and not word.endswith('ss') and word != 'endpoints' else word)


class Kubectl:
    def __init__(self, flags, rest, after):
        self.flags, self.rest, self.after = flags, rest, after
        kubeconfig = flags.get('kubeconfig') or os.environ.get('KUBECONFIG') or os.path.expanduser('~/.kube/config')
        address = flags.get('server', '').replace('https://', '') or host.server_of(kubeconfig)
        if 'kubeconfig' in flags and address is None:
            raise Refused(f'error: stat {kubeconfig}: no such file or directory')
        self.cluster = Cluster(address or 'localhost:8080')
        self.namespace = flags.get('namespace', 'default')

    def scope(self, kind):
        return None if kind in WITHOUT_NAMESPACE else self.namespace

    # --- finding ---
    def named(self):
        """Returns pairs of kind and name that the words say; a name is None where all of a kind are meant."""
        words = self.rest[1:]
        if not words:
            return []
        if '/' in words[0]:
            return [(kind_of(word.partition('/')[0]), word.partition('/')[2]) for word in words]
        kinds = [kind_of(word) for word in words[0].split(',')]
        names = words[1:] or [None]
        return [(kind, name) for kind in kinds for name in names]

    def selected(self, kind):
        everywhere = 'all-namespaces' in self.flags or kind in WITHOUT_NAMESPACE
        found = self.cluster.all(kind, None if everywhere else self.namespace)
        for term in filter(None, self.flags.get('selector', '').split(',')):
            key, operator, value = re.match(r'!?([^=!]+)(==|=|!=)?(.*)', term).groups()
            def matches(thing):
                labels = thing['metadata'].get('labels', {})
                if operator is None:
                    return (key in labels) != term.startswith('!')
                return (labels.get(key) == value) == (operator != '!=')
            found = [thing for thing in found if matches(thing)]
        for term in filter(None, self.flags.get('field-selector', '').split(',')):
            path, operator, value = re.match(r'([\w.]+)(==|=|!=)(.*)', term).groups()
            found = [thing for thing in found if ((jsonpath.find('.' + path, [thing]) or [''])[0] == value) == (operator != '!=')]
        return found

    def things(self):
        found, is_list = [], False
        if 'filename' in self.flags:
            for thing in self.documents():
                kind, meta = thing['kind'].lower(), thing['metadata']
                there = self.cluster.get(kind, None if kind in WITHOUT_NAMESPACE else meta.get('namespace', self.namespace), meta['name'])
                if there is None and 'ignore-not-found' not in self.flags:
                    raise Refused(f'Error from server (NotFound): {kind}s "{meta["name"]}" not found')
                found += [] if there is None else [there]
            return found, True
        for kind, name in self.named():
            if name is None:
                is_list = True
                found += self.selected(kind)
                continue
            thing = self.cluster.get(kind, self.scope(kind), name)
            if thing is None and 'ignore-not-found' not in self.flags:
                raise Refused(f'Error from server (NotFound): {kind}s "{name}" not found')
            found += [] if thing is None else [thing]
        return found, is_list or len(self.named()) > 1

    # --- showing ---
    def get(self):
        if 'raw' in self.flags:
            version = self.cluster.require_server()
            path = self.flags['raw']
            return print(json.dumps({'major': '1', 'minor': version.split('.')[1], 'gitVersion': f'v{version}'}, indent=2) if path == '/version' else 'ok', end='')
        self.cluster.require_server()
        things, is_list = self.things()
        output = self.flags.get('output', '')
        whole = {'apiVersion': 'v1', 'kind': 'List', 'items': things} if is_list else (things[0] if things else None)
        if output.startswith('jsonpath='):
            return print(jsonpath.render(output[9:], whole), end='') if whole else None
        if output.startswith('custom-columns='):
            columns = [column.partition(':')[::2] for column in output[15:].split(',')]
            rows = [[(jsonpath.render(path, thing) or '<none>') for _, path in columns] for thing in things]
            return self.table([[name for name, _ in columns], *rows])
        if output in ('json', 'yaml'):
            return print(json.dumps(whole, indent=4) if output == 'json' else yaml.safe_dump(whole), end='\n')
        if output == 'name':
            return [print(f"{thing['kind'].lower()}/{thing['metadata']['name']}") for thing in things]
        if not things:
            return print('No resources found' + ('' if 'all-namespaces' in self.flags else f' in {self.namespace} namespace.'), file=sys.stderr)
        rows = [self.row(thing, output == 'wide') for thing in things]
        return self.table([list(rows[0]), *[list(row.values()) for row in rows]])

    def table(self, rows):
        rows = rows[1:] if 'no-headers' in self.flags else rows
        widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))] if rows else []
        for row in rows:
            print('   '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())

    def row(self, thing, is_wide):
        meta, status, kind = thing['metadata'], thing.get('status', {}), thing['kind']
        row = {'NAMESPACE': meta.get('namespace', '')} if 'all-namespaces' in self.flags and 'namespace' in meta else {}
        row['NAME'] = meta['name']
        if kind == 'Node':
            ready = {'True': 'Ready', 'False': 'NotReady'}.get(status['conditions'][0]['status'], 'NotReady')
            roles = [label.partition('/')[2] for label in meta.get('labels', {}) if label.startswith('node-role.kubernetes.io/')]
            row.update(STATUS=ready + (',SchedulingDisabled' if thing['spec'].get('unschedulable') else ''), ROLES=','.join(roles) or '<none>', AGE='1m',
                       VERSION=status['nodeInfo']['kubeletVersion'])
            if is_wide:
                row['INTERNAL-IP'] = next((entry['address'] for entry in status['addresses'] if entry['type'] == 'InternalIP'), '<none>')
        elif kind == 'Pod':
            row.update(READY='1/1' if is_ready(thing) else '0/1', STATUS=reason_of(thing), RESTARTS='0', AGE='1m')
            if is_wide:
                row.update(IP=status.get('podIP') or '<none>', NODE=thing['spec'].get('nodeName', '<none>'))
        elif kind in ('DaemonSet', 'Deployment'):
            wanted = status.get('desiredNumberScheduled', status.get('replicas', 0))
            row.update(READY=f"{status.get('numberReady', status.get('readyReplicas', 0))}/{wanted}", AGE='1m')
        else:
            row['AGE'] = '1m'
        return row

    # --- waiting ---
    def until(self, is_so, failure):
        end = time.monotonic() + seconds(self.flags.get('timeout'))
        while True:
            self.cluster.require_server()
            if is_so():
                return
            if time.monotonic() > end:
                raise Refused(failure())
            time.sleep(0.1)

    def wait(self):
        what, _, name = self.flags['for'].partition('=')
        wanted, _, value = name.partition('=')
        names = self.named()

        def things():
            return [thing for kind, one in names for thing in (
                self.selected(kind) if one is None else filter(None, [self.cluster.get(kind, self.scope(kind), one)]))]

        def meets(thing):
            if what == 'condition':
                conditions = {condition['type'].lower(): condition['status'] for condition in thing.get('status', {}).get('conditions', [])}
                return conditions.get(wanted.lower()) == (value or 'True')
            found = jsonpath.render(wanted.strip("'"), thing)
            return found == value if value else bool(found)

        if what == 'delete':
            return self.until(lambda: not things(), lambda: f'error: timed out waiting for the condition on {names[0][0]}s/{names[0][1]}')
        if not things():
            raise Refused('error: no matching resources found')
        self.until(lambda: all(map(meets, things())), lambda: '\n'.join(
            f"error: timed out waiting for the condition on {thing['kind'].lower()}s/{thing['metadata']['name']}" for thing in things() if not meets(thing)))
        for thing in things():
            print(f"{thing['kind'].lower()}/{thing['metadata']['name']} condition met")
        return None

    def rollout(self):
        self.rest = self.rest[1:]
        action = self.rest[0]
        if action == 'restart':
            return print('restarted')
        kind, name = self.named()[0]
        if self.cluster.get(kind, self.namespace, name) is None:
            raise Refused(f'Error from server (NotFound): {kind}s.apps "{name}" not found')

        def counts():
            status = self.cluster.get(kind, self.namespace, name).get('status', {})
            return status.get('numberReady', status.get('readyReplicas', 0)), status.get('desiredNumberScheduled', status.get('replicas', 0))

        self.until(lambda: counts()[0] == counts()[1] > 0, lambda: f'Waiting for {kind} "{name}" rollout to finish: {counts()[0]} of {counts()[1]} '
                   'updated pods are available...\nerror: timed out waiting for the condition')
        return print(f'{kind} "{name}" successfully rolled out')

    # --- changing ---
    def documents(self):
        file = self.flags['filename']
        text = sys.stdin.read() if file == '-' else read(file)
        if text is None:
            raise Refused(f'error: the path "{file}" does not exist')
        found = [document for document in yaml.safe_load_all(text) if document]
        return [thing for document in found for thing in (document['items'] if document['kind'].endswith('List') else [document])]

    def put(self, thing, verb):
        meta = thing['metadata']
        kind = thing['kind'].lower()
        if kind not in WITHOUT_NAMESPACE:
            meta.setdefault('namespace', self.namespace)
            if self.cluster.get('namespace', None, meta['namespace']) is None:
                raise Refused(f'Error from server (NotFound): error when creating: namespaces "{meta["namespace"]}" not found')
        old = self.cluster.get(kind, meta.get('namespace'), meta['name'])
        if verb == 'created' and old is not None:
            raise Refused(f'Error from server (AlreadyExists): {kind}s "{meta["name"]}" already exists')
        if old and 'status' in old:
            thing['status'] = old['status']
        if kind == 'service' and thing.get('spec', {}).get('clusterIP') is None:
            thing.setdefault('spec', {})['clusterIP'] = f'10.96.1.{len(self.cluster.all("service")) + 1}'
        self.cluster.put(thing)
        print(f'{kind}/{meta["name"]} {"configured" if old else "created"}')

    def apply(self):
        self.cluster.require_server()
        for thing in self.documents():
            self.put(thing, 'applied')

    def create(self):
        self.cluster.require_server()
        if 'filename' in self.flags:
            return [self.put(thing, 'created') for thing in self.documents()]
        kind, name = self.rest[1], self.rest[2]
        if kind_of(kind) == 'deployment':
            spec = {'containers': [{'name': name, 'image': self.flags['image'], 'command': self.after}]}
            return self.put({'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': name, 'labels': {'app': name}}, 'spec': {
                'replicas': int(self.flags.get('replicas', 1)), 'template': {'metadata': {'labels': {'app': name}}, 'spec': spec}}}, 'created')
        return self.put({'apiVersion': 'v1', 'kind': kind_of(kind).capitalize(), 'metadata': {'name': name}}, 'created')

    def run(self):
        self.cluster.require_server()
        name = self.rest[1]
        spec = {'containers': [{'name': name, 'image': self.flags['image'], 'command': self.after}]}
        self.put({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name, 'labels': {'run': name}}, 'spec': spec}, 'created')

    def expose(self):
        _, name = self.named()[0]
        self.put({'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': self.flags.get('name', name)}, 'spec': {}}, 'created')

    def delete(self):
        self.cluster.require_server()
        for thing in self.things()[0]:
            kind, meta = thing['kind'].lower(), thing['metadata']
            self.cluster.drop(kind, meta.get('namespace'), meta['name'])
            if kind == 'namespace':
                for inside in ('pod', 'deployment', 'daemonset', 'service', 'configmap'):
                    for one in self.cluster.all(inside, meta['name']):
                        self.cluster.drop(inside, meta['name'], one['metadata']['name'])
            print(f'{kind} "{meta["name"]}" deleted')

    def mark(self, field):
        """Sets or removes labels, annotations or taints."""
        self.cluster.require_server()
        cut = next((n for n, word in enumerate(self.rest) if n > 1 and ('=' in word or word.endswith('-'))), len(self.rest))
        terms, self.rest = self.rest[cut:], self.rest[:cut]
        for thing in self.selected(self.named()[0][0]) if 'all' in self.flags else self.things()[0]:
            for term in terms:
                key, _, value = term.rstrip('-').partition('=')
                if field == 'taints':
                    key = key.partition(':')[0]
                    taints = [taint for taint in thing['spec'].get('taints', []) if taint['key'] != key]
                    if term.endswith('-') and len(taints) == len(thing['spec'].get('taints', [])) and 'all' not in self.flags:
                        raise Refused(f'error: taint "{key}" not found')
                    thing['spec']['taints'] = taints if term.endswith('-') else [*taints, {'key': key, 'effect': value.partition(':')[2]}]
                elif term.endswith('-'):
                    thing['metadata'].get(field, {}).pop(key, None)
                else:
                    thing['metadata'].setdefault(field, {})[key] = value
            self.cluster.put(thing)
            print(f"{thing['kind'].lower()}/{thing['metadata']['name']} changed")

    def cordon(self, is_off):
        for name in self.rest[1:]:
            node = self.cluster.get('node', None, name)
            if node is None:
                raise Refused(f'Error from server (NotFound): nodes "{name}" not found')
            node['spec']['unschedulable'] = is_off
            self.cluster.put(node)

    # --- pods ---
    def pod(self):
        self.cluster.require_server()
        kind, _, name = self.rest[1].rpartition('/')
        if kind and kind_of(kind) != 'pod':
            pods = [pod for pod in self.cluster.all('pod', self.namespace) if (pod['metadata'].get('ownerReferences') or [{}])[0].get('name') == name]
        else:
            pods = list(filter(None, [self.cluster.get('pod', self.namespace, name)]))
        if not pods:
            raise Refused(f'Error from server (NotFound): pods "{name}" not found')
        return pods[0]

    def exec(self):
        """Runs nothing, and ends as the words would: a name is found where CoreDNS runs, an answer comes where kube-proxy does.

        A test breaks more of it by lines in /srv/lan/broken, such as `dns` or a word of the command.
        """
        pod = self.pod()
        if not is_ready(pod):
            raise Refused(f'error: unable to upgrade connection: container not found ("{pod["spec"]["containers"][0]["name"]}")')
        command = ' '.join(self.after or self.rest[2:])
        write(os.path.join(self.cluster.folder, 'executed'), (read(self.cluster.path('executed'), '') + command + '\n'))
        broken = (read('/srv/lan/broken') or '').split('\n')
        if any(word and word in command for word in broken):
            raise Refused('command terminated with exit code 1')
        is_lookup = re.search(r'nslookup|lookup|getent|dig ', command)
        if is_lookup and ('dns' in broken or not self.runs('coredns')):
            raise Refused(';; connection timed out; no servers could be reached\ncommand terminated with exit code 1')
        if re.search(r'wget|curl|nc |get http', command) and not self.runs('kube-proxy'):
            raise Refused('connection refused\ncommand terminated with exit code 1')
        if is_lookup:
            print('Server:    10.96.0.10\nName:      kubernetes.default.svc.cluster.local\nAddress 1: 10.96.0.1')
        else:
            print('hello')

    def runs(self, owner):
        return any(is_ready(pod) for pod in self.cluster.all('pod', 'kube-system') if pod['metadata']['name'].startswith(f'{owner}-'))

    def logs(self):
        """Prints what a container says; a CoreDNS of one's own asks the DNS of the cluster once it runs."""
        settings = self.cluster.get('configmap', self.namespace, self.rest[1].rpartition('-')[0])
        if 'loop' in (settings or {}).get('data', {}).get('Corefile', ''):
            is_answered = 'dns' not in (read('/srv/lan/broken') or '').split('\n') and self.runs('coredns')
            return print(f'[INFO] 10.244.0.9:4711 - 9 "A IN 12.34. udp 51 false 512" {"NOERROR" if is_answered else "SERVFAIL"} qr,rd 57 0.01s')
        state = self.pod().get('status', {}).get('containerStatuses', [{}])[0].get('state', {})
        print(state.get('waiting', {}).get('message', 'hello'))

    def describe(self):
        print(yaml.safe_dump_all(self.things()[0]))

    def auth(self):
        """Tells who asks: the node of this machine, or an administrator."""
        self.cluster.require_server()
        kubeconfig = self.flags.get('kubeconfig') or os.environ.get('KUBECONFIG', '')
        who = f'system:node:{host.name()}' if kubeconfig.endswith('/kubelet.conf') else 'kubernetes-admin'
        print(jsonpath.render(self.flags.get('output', 'jsonpath={.status.userInfo.username}')[9:], {'status': {'userInfo': {'username': who}}}), end='')

    def version(self):
        print(f'Client Version: v{VERSION}')
        if 'client' not in self.flags:
            print(f'Server Version: v{self.cluster.require_server()}')

    def do(self):
        actions = {
            'get': self.get, 'wait': self.wait, 'rollout': self.rollout, 'apply': self.apply, 'create': self.create, 'delete': self.delete, 'run': self.run,
            'expose': self.expose, 'exec': self.exec, 'logs': self.logs, 'describe': self.describe, 'version': self.version, 'auth': self.auth,
            'label': lambda: self.mark('labels'), 'annotate': lambda: self.mark('annotations'), 'taint': lambda: self.mark('taints'),
            'cordon': lambda: self.cordon(True), 'uncordon': lambda: self.cordon(False), 'drain': lambda: self.cordon(True),
            'cluster-info': self.cluster.require_server,
        }
        if not self.rest or self.rest[0] not in actions:
            raise Refused(f'error: unknown command "{" ".join(self.rest)}" for "kubectl"')
        actions[self.rest[0]]()


def is_ready(pod):
    return (pod.get('status', {}).get('conditions') or [{}])[0].get('status') == 'True'


def reason_of(pod):
    states = [status['state'].get('waiting', {}).get('reason') for status in pod.get('status', {}).get('containerStatuses', [])]
    return next(filter(None, states), pod.get('status', {}).get('phase', 'Pending'))


def main(words):
    Kubectl(*parse(words)).do()
