/** Tests of a threat: their titles by file; an empty list means the whole file. */
export type ThreatTests = readonly (readonly [file: string, titles: readonly string[]])[];

/** The tests behind each row of the table of threats in docs/security.md, by the threat. */
export const THREATS: Readonly<Record<string, ThreatTests>> = {
  'A registry lies about content, sizes or digests': [
    ['test/registry/blob-faults.test.ts', []],
    [
      'test/hostile/parties/hostile-source.test.ts',
      ['leaves nothing at the destination that is not what its digest says, or that lacks a part'],
    ],
    ['test/hostile/lying-registry.test.ts', ['a layer without end']],
  ],
  'A manifest that tools read in two ways: keys twice, or in another case, which Go programs treat as the same':
    [
      [
        'test/registry/ambiguity.test.ts',
        ['a manifest that has %s is refused, as programs would read it in two ways'],
      ],
    ],
  'A registry tries to use up memory or time': [
    [
      'test/hostile/wrong-shapes.test.ts',
      [
        'an answer of the wrong shape costs no more than ten times its size, and is told: $name',
        'a list of numbers of 62 MiB is read in a heap of 256 MiB',
      ],
    ],
    ['test/lib/json.test.ts', ['nothing but %s is refused before it is made']],
    [
      'test/lib/json-members.test.ts',
      ['is read no further than to what its reader refuses', 'lets other work run between slices'],
    ],
    [
      'test/lib/zero-value.test.ts',
      [
        'the first wrong item of %s ends the reading',
        '$what is not read with a field that would take thirty times its length',
      ],
    ],
    ['test/architecture.test.ts', ['by the readers that ask what it would cost']],
    [
      'test/hostile/lying-registry.test.ts',
      [
        '10,000 indexes, each within another',
        'an index of 1,000,000 entries',
        'pages without end, each of other tags',
        'a token without end',
      ],
    ],
  ],
  'An answer that trickles, to keep a run busy': [
    [
      'test/hostile/trickling-server.test.ts',
      [
        'a server that trickles %s is not waited for without end',
        'a server that trickles %s is no connection',
        'the answer to an upload that trickles is not waited for without end',
      ],
    ],
    [
      'test/lib/answer-pace.test.ts',
      ['%s: it is given up only if it could last as long as the server likes'],
    ],
  ],
  'Your own input never arrives or never ends: a pipe as a file, `--password-stdin`': [
    [
      'test/synctl/pipe-endings.test.ts',
      [
        'a pipe for %s is waited for until the time of the run is over',
        'a pipe for a report to merge is waited for until the run is stopped',
      ],
    ],
    ['test/lib/given-file.test.ts', ['what a shell makes of <(…) is read']],
    [
      'test/cli/password.test.ts',
      ['input that does not end is waited for as long as the command may take, and then left'],
    ],
  ],
  'A server of downloads, or a registry that packer pulls from, tries to use up memory, disk or time': [
    ['test/hostile/lying-servers.test.ts', ['refuses %s', 'refuses an image whose registry lies: %s']],
  ],
  'Malformed headers, references, files': [
    [
      'test/hostile/properties.test.ts',
      [
        'a reference is refused, or read the same again when it was written',
        'a manifest is refused, or its bytes say what was read of them',
        'a checksum file is refused, or has the digest of the file',
      ],
    ],
  ],
  'Someone between you and the server': [
    [
      'test/registry/connection.test.ts',
      [
        'is believed when it is named, and otherwise refused with what to give',
        'does not make other names right',
        'may not lead from HTTPS to plain HTTP, nor have the login sent there',
      ],
    ],
    [
      'test/registry/endpoint.test.ts',
      [
        'cannot bring us to plain HTTP, whoever is on the way',
        'whose certificate nobody signed is refused, and not asked without TLS',
      ],
    ],
    [
      'test/registry/connection.test.ts',
      [
        'is accepted from the host that is named, and from no other',
        'counts for nothing: %s',
        'is not believed because the certificate of a registry of %s is not checked',
        'does not make this right: %s, and it is asked once',
      ],
    ],
    ['test/synctl/failures.test.ts', ['NODE_TLS_REJECT_UNAUTHORIZED=0 counts for nothing, and is told once']],
  ],
  'Theft of a login by a redirect': [
    [
      'test/faults/credentials.test.ts',
      ['carries no login along when $kind of the $side is redirected by $status'],
    ],
    [
      'test/registry/credential-hosts.test.ts',
      [
        'what leads elsewhere is followed without any credential',
        'what leads to where nothing may go is not followed',
      ],
    ],
    ['test/registry/transport.test.ts', ['writes that lead to another host arrive there, without the login']],
  ],
  'Theft of a login by a realm': [
    [
      'test/registry/credential-hosts.test.ts',
      [
        'at another host gets the login over HTTPS, and the registry the token',
        '%s gets nothing',
        'that redirects is not followed',
      ],
    ],
    ['test/registry/strangers.test.ts', ['after a redirected ping is not answered: %s']],
  ],
  'An address that leads to this machine or to the metadata service of a cloud (credentials)': [
    ['test/lib/inward-address.test.ts', ['%s: %s', '%s does not lead inward']],
    ['test/lib/redirect.test.ts', ['from %s, %s is refused']],
    ['test/publish/qiniu-target.test.ts', ['asks no host inside a cloud that a region names: %s']],
  ],
  'Theft of a login by a neighbour in a file of logins': [
    ['test/registry/docker-config.test.ts', ['does not give the login under %s to %s']],
    [
      'test/registry/missing-login.test.ts',
      [
        'takes a login of its own, which goes nowhere else: $mode',
        'gets the login of a path for what lies below it alone: $mode',
      ],
    ],
  ],
  'A credential helper that hangs, floods or leaves programs behind': [
    [
      'test/process/program-run.test.ts',
      [
        'a program that %s ends with all that it started',
        'a child that left the group of its program is not waited for',
        'a process that ends at once, as at a second Ctrl-C, ends the program too',
      ],
    ],
    [
      'test/synctl/helper-endings.test.ts',
      [
        'a helper that %s ends with --command-timeout',
        '%s stops the run with %i, and its helper: one that %s',
      ],
    ],
  ],
  'A wrong or expired password that locks its account': [
    [
      'test/registry/authorization.test.ts',
      [
        'with a wrong password is tried once a run: %s',
        'with a wrong password gets three tokens where a ping takes that of anybody, and repositories answer %s',
        'that is right is not taken for wrong by what it may not do: %s',
        'is tried by one repository first, and when it was accepted by all at once',
        'that is not taken any more in the middle of a run is tried once more',
        'that is not taken any more is not tried by requests that wait for their turn',
      ],
    ],
  ],
  'The login of the push reaches a request that asks what machines see without one': [
    [
      'test/sync/anonymous-pull.test.ts',
      ['no login of this run is sent by the connections that ask without one'],
    ],
  ],
  "Theft of a proxy's login": [
    [
      'test/registry/credential-hosts.test.ts',
      ['a proxy that refuses gets its own login alone, and nobody learns that from the error'],
    ],
  ],
  "Upstream, its mirror or a network's sign-in page returns something false about a new Kubernetes": [
    ['test/faults/makers.test.ts', ['once: $name', 'at each attempt: $name']],
    ['test/upstream/kubeadm-constants.test.ts', ['refuses %s']],
    ['test/upstream/image-list.test.ts', ['refuses %s']],
    [
      'test/upstream/upstream.test.ts',
      ['is not %s', 'are unknown where all hosts are %s, which takes moments'],
    ],
  ],
  'Another program in place of kubeadm': [
    [
      'test/upstream/kubeadm-program.test.ts',
      [
        'is not run if its bytes are not those of its checksum',
        'of a mirror is not run unless its maker vouches for it',
        'sees no variable of this process',
        'is not fetched where signatures are required',
        'is not waited for without end while it trickles',
      ],
    ],
  ],
  "Theft of GitHub's token by upstream or a mirror": [
    [
      'test/upstream/upstream.test.ts',
      ['are those that the API of GitHub has where the other address refuses, and the token goes there only'],
    ],
  ],
  "Theft of GitHub's token by a forged upload address": [
    ['test/publish/release-upload-address.test.ts', ['%s may not have them sent to %s']],
    [
      'test/publish/github-releases.test.ts',
      [
        'a token goes to no host that an answer names and that is not GitHub',
        'to another host is not followed',
      ],
    ],
  ],
  'An over-privileged workflow token': [
    [
      'test/workflows/workflows.test.ts',
      [
        'gives a reason for every permission, and hands none to jobs that do not ask',
        'never leaves the token of the job in the checkout',
      ],
    ],
  ],
  "Qiniu's keys": [
    ['test/publish/qiniu-target.test.ts', ['repeats no token that Qiniu repeats in a refusal']],
  ],
  'A package that is changed on its way from a bucket': [
    ['test/publish/qiniu-target.test.ts', ['of a bucket with %s']],
    [
      'test/publish/download-command.test.ts',
      ['the command for %s downloads it, compares it, and does nothing else'],
    ],
  ],
  'Secrets in logs, reports, summaries, state, outputs, the list of processes': [
    ['test/action-sync/whole-runs.test.ts', ['a night with a %s login masks each secret and each form once']],
    ['test/config/images/image-finder.test.ts', ['shows no secret of a list: %s']],
    ['test/config/validation.test.ts', ['in %s of an image set']],
    [
      'test/lib/secret-forms.test.ts',
      ['include that of %s', 'are all found by the search that looks through what runs print'],
    ],
    ['test/action-pack/whole-runs.test.ts', []],
    ['test/packer/end-to-end.test.ts', []],
    ['test/synctl/commands.test.ts', []],
    [
      'test/faults/credentials.test.ts',
      ['shows no secret in output, report, state or the list of processes when it %s'],
    ],
    ['test/actions/log-mask.test.ts', ['nothing of %s is left once every form is hidden']],
  ],
  'A registry repeats a secret or a signed address in an error': [
    ['test/registry/redactor.test.ts', ['redacts %s']],
    ['test/faults/credentials.test.ts', ['repeats no secret that a registry puts into its complaint (%s)']],
    ['test/registry/strangers.test.ts', ['is not repeated where the storage repeats it in an error']],
  ],
  'A forged image at the source': [
    ['test/signatures/signature-check.test.ts', []],
    ['test/pack/image-signature.test.ts', []],
    ['test/hostile/parties/hostile-source.test.ts', ['a hostile source, with --verify-signatures %s,']],
    [
      'test/sync/mirror/signatures.test.ts',
      [
        'only what has a signature that counts arrives, and nothing at all of the rest',
        'the tag may move after its digest was verified: what arrives is what was verified',
      ],
    ],
  ],
  'A signature that seems to be by someone else: another certificate in the log than in the bundle, a certificate of a server or an authority, a name of another kind or with odd bytes':
    [
      ['test/signatures/signer-certificate.test.ts', ['a certificate is refused that has']],
      [
        'test/signatures/bad-vectors.test.ts',
        [
          'of another certificate: $content, $entry',
          'a signature is refused when it was made',
          'a time does not count that',
          'of an authority that nobody knows, though it brings its root along',
        ],
      ],
      ['test/signatures/good-vectors.test.ts', ['a good signature is accepted']],
      [
        'test/signatures/sigstore-verifier.test.ts',
        ['with a log %s that has no time from which it is to be believed is refused'],
      ],
      [
        'test/hostile/properties.test.ts',
        ['a bundle of which a byte was altered is refused, or names who signed it'],
      ],
    ],
  'A bundle, certificate or timestamp that is made to keep the machine busy': [
    [
      'test/hostile/hostile-bundles.test.ts',
      ['a bundle that is made to keep its reader busy is refused for what is too much in it'],
    ],
    ['test/signatures/bundle-bounds.test.ts', ['a part of a bundle is refused before it is read']],
    ['test/signatures/der.test.ts', ['the number of values is limited']],
    [
      'test/signatures/verdict.test.ts',
      ['a refusal says that there may be more signatures, which nobody looked at'],
    ],
  ],
  'A missing or foreign signature': [
    [
      'test/sync/mirror/signatures.test.ts',
      [
        'a registry of which nothing is said is refused, with the line to add',
        'all is copied, and one warning a reason tells which images have no signature that counts',
      ],
    ],
    [
      'test/sync/installation.test.ts',
      [
        'tells what is not signed, or by another, and is not content where signatures are required',
        'takes no index for the signature of a part of it that a machine may not take: %s',
      ],
    ],
  ],
  'A signed image offered as another one of the same signer, or as another version': [
    [
      'test/sync/mirror/signatures.test.ts',
      [
        'the signed kube-proxy is not copied as pause, neither is the signed 1.36 as 1.37',
        'a bundle that names nothing counts where that is said of its signer, and only as long as it is',
      ],
    ],
    [
      'test/pack/image-signature.test.ts',
      ['does not take the bundle of kube-proxy for coredns, nor one that names nothing unless that is said'],
    ],
    [
      'test/hostile/parties/hostile-signer.test.ts',
      ['makers who may sign something, with --verify-signatures %s,'],
    ],
    ['test/signatures/signed-name.test.ts', []],
  ],
  'A verdict of an older version, or of other signers, that is still believed': [
    [
      'test/signatures/signature-check.test.ts',
      ['what was verified is verified again when a policy or root changes, or is about another name'],
    ],
    [
      'test/pack/image-signature.test.ts',
      ['verifies again what a lock says was verified, where other signatures count now or the lock is older'],
    ],
  ],
  'Someone else in the same repository or organisation signs': [
    [
      'test/config/signer-identity.test.ts',
      [
        'that is wanted as %j is %j: %s',
        'that leaves open whose it is, is refused: %s',
        'of a workflow that leaves parts open is told what it takes: %s',
      ],
    ],
  ],
  'A version tag that gets another image at the source': [
    [
      'test/sync/mirror/moved-tags.test.ts',
      [
        'is copied with a warning that has both images, and is no news the night after',
        'is kept as it is with keep, each night until it is accepted',
        'a tag that differs at both sides is not called moved at the source',
        'a tag that differs is told where platforms are chosen too: %s',
      ],
    ],
    [
      'test/hostile/parties/hostile-rollback.test.ts',
      ['a source that moves tags, with --verify-signatures %s,'],
    ],
  ],
  'A malicious image that is new: under a new tag, under a tag that moved, or uploaded days before a tag leads to it':
    [
      [
        'test/sync/minimum-age.test.ts',
        [
          'an image that was uploaded long ago is young under a tag that is new',
          'a tag that moved is young again, and what is at the destination stays',
          'the digest that was judged is the one that is copied, if the tag moves in between',
        ],
      ],
      ['test/sync/tag-maturity.test.ts', ['do not fill the state, however many a source lists each night']],
    ],
  'An old image offered again (rollback)': [
    [
      'test/sync/mirror/moved-tags.test.ts',
      [
        'says that it went back, where the image of now was made before the other',
        'a moving tag that went back to an older signed image is told, and copied',
        'says so where the times are not known, and does not guess which is older: %s',
      ],
    ],
  ],
  'A mirror that gives a package other images, or the genuine configuration with other layers': [
    ['test/pack/run-failures.test.ts', []],
    ['test/pack/maker-comparison.test.ts', ['is refused where a mirror serves its configuration with %s']],
    [
      'test/pack/unpacked-layer.test.ts',
      ['does not exist for a layer of which a part counts for nothing: %s'],
    ],
    [
      'test/hostile/parties/hostile-mirror.test.ts',
      [
        'a hostile mirror, with --verify-signatures %s,',
        'what was locked is packed again, to the byte, whatever a mirror has under its tags now',
      ],
    ],
    [
      'test/pack/maker-comparison.test.ts',
      ['is compared where the mirror is another repository at the registry of its maker'],
    ],
  ],
  'A verdict about the whole that is drawn from a part': [
    [
      'test/sync/image-check.test.ts',
      ['of all tags compares digests, and with --verify deep all that is below them'],
    ],
    [
      'test/sync/installation.test.ts',
      [
        'an image of which layers are elsewhere cannot be installed from',
        'is told where a mirror refuses to tell of %s',
      ],
    ],
    ['test/sync/mirror/layers-left-out.test.ts', []],
    [
      'test/publish/registry-target.test.ts',
      ['does not take an artifact that brings another file besides the package for the package'],
    ],
    [
      'test/publish/artifact-target.test.ts',
      ['says that it compared sizes alone where the service tells no digest'],
    ],
  ],
  'A forged download': [
    [
      'test/hostile/parties/hostile-maker.test.ts',
      [
        'a hostile maker of components, with --verify-signatures %s,',
        'what was locked is not packed with other content, though its maker changes the checksum too',
      ],
    ],
    [
      'test/pack/component-fetch.test.ts',
      [
        'refuses what has no checksum anywhere, before it fetches it',
        'refuses a checksum file that does not speak of the download',
      ],
    ],
    ['test/pack/component-cache.test.ts', ['is not used where it was changed, which is told']],
  ],
  'A destination that claims to have what it lacks, or names other addresses': [
    [
      'test/hostile/parties/hostile-destination.test.ts',
      ['a hostile destination, with --verify-signatures %s,', 'gets the login for itself alone'],
    ],
  ],
  'A compromised destination changes a tag': [
    ['test/sync/mirror/listing.test.ts', ['notices a tag that someone overwrote: %s']],
  ],
  'A poisoned state, from the Actions cache or a file': [
    [
      'test/faults/poisoned-state.test.ts',
      [
        'cannot call something else the image when every tag is asked for',
        'cannot have synctl check call something else the image, as if it were %s',
        'can keep a tag from being asked for until its day',
      ],
    ],
    [
      'test/faults/state.test.ts',
      [
        'is not misled by the state of an earlier night',
        'goes on from the destination when bytes of the state are wrong',
      ],
    ],
    ['test/hostile/properties.test.ts', ['a state file is used or set aside, whatever is in it']],
    [
      'test/hostile/hostile-state.test.ts',
      ['a state that holds %s is set aside, and the run continues without it'],
    ],
    ['test/sync/state/state-file.test.ts', ['is set aside as oversized, and a new one begins: %s']],
    ['test/sync/state-file-kind.test.ts', ['a schema %s small']],
    ['test/sync/state/damage.test.ts', ['row by row: what is not what it should be counts as unknown']],
    [
      'test/sync/kubeadm-rows.test.ts',
      ['rows that hold no versions and tags are left out, and an origin stays one line'],
    ],
  ],
  'An archive in the Actions cache that unpacks to something else (absolute paths, `..`, links, devices, bombs)':
    [
      [
        'test/actions/state-archive.test.ts',
        ['an archive with %s is refused before any of it is used', 'an archive that is %s costs a line'],
      ],
      [
        'test/hostile/properties.test.ts',
        ['an archive in the cache is refused, or gives the state in it and no other file'],
      ],
      [
        'test/action-sync/state.test.ts',
        ['an entry that holds %s costs a warning, and the next night begins well'],
      ],
      [
        'test/actions/cache-service.test.ts',
        ['the login of the job goes to the service, and to no address that it names'],
      ],
      [
        'test/sync/state/state-file.test.ts',
        ['is set aside as $reason: $name', 'is set aside unread: a state of more pages than any state has'],
      ],
    ],
  'A hostile image set or versions file': [
    [
      'test/hostile/properties.test.ts',
      [
        'an image set is refused, or chooses tags',
        'a versions file is refused, or its paths stay within the package',
      ],
    ],
    ['test/config/uri-template.test.ts', []],
    ['test/config/validation.test.ts', []],
    ['test/config/document.test.ts', ['in a file that is far too long, %s, before anything reads it']],
  ],
  'A hostile archive (absolute paths, `..`, links, devices, bombs)': [
    ['test/hostile/properties.test.ts', ['an archive of any members is refused, or stays within its folder']],
    [
      'test/pack/component-files.test.ts',
      [
        'refuses an archive that unpacks to more than it may',
        'refuses more entries than it may have',
        'gives every file under the part that is left out, with modes of our own',
      ],
    ],
  ],
  'Links where files are placed or taken': [
    ['test/package/install.test.ts', ['does not follow a link out of the tree that it installs into']],
    ['test/pack/overlay.test.ts', ['a link']],
  ],
  'Users of a machine who own, or may write to, what `install.sh` finds there': [
    [
      'test/package/install-distrust.test.ts',
      [
        'is placed anew where it is right but belongs to someone else',
        'is not put into or below a folder of someone else: %s',
        'is not put into or below a folder that everybody may write to: %s, mode %s',
        'is that of other users than who installs, without root',
        'is not put behind a link that leads through a folder where others may change the next one',
      ],
    ],
  ],
  'A pipe or device where `install.sh` looks for a file': [
    [
      'test/package/install-distrust.test.ts',
      [
        'ends it at the place of %s, and is not read: a pipe',
        'in the package ends it, and is not read: %s as a pipe',
      ],
    ],
  ],
  'A package that was changed at rest': [
    [
      'test/package/install.test.ts',
      [
        'changes nothing with %s',
        'puts everything back when placing fails in the middle',
        'replaces links at its places, and writes through none',
      ],
    ],
    ['test/package/install-distrust.test.ts', ['with %s changes nothing, and reads no standard input']],
  ],
  'Names or answers that become commands of a workflow (`::set-output`, `::add-mask`)': [
    ['test/actions/workflow-reporter.test.ts', ['what a registry says is never taken for a command']],
    ['test/actions/command-file.test.ts', ['no value can set another output, whatever lines it has']],
  ],
  'Markup, links or mentions in the summary': [
    ['test/summary/sync-summary.test.ts', ['what others wrote cannot become markup']],
    ['test/lib/markdown.test.ts', ['no foreign text makes a link, and it is shown as it is']],
  ],
  'Escapes that hide or forge lines on a terminal': [
    ['test/lib/plain-text.test.ts', ['nothing that a registry says reaches a terminal as a command']],
    ['test/package/install-distrust.test.ts', ['reaches no terminal as a command: %s']],
  ],
  'A compromised npm package': [
    [
      'test/supply-chain/packages.test.ts',
      [
        'holds a SHA-512 sum of everything that is fetched',
        'has nothing that runs a program when it is installed',
        'is what the lock says, and nothing of what is bundled runs a program when it is installed',
      ],
    ],
  ],
  'A `dist/` that does not match the sources': [
    [
      'test/supply-chain/dist-check.test.ts',
      ['CI builds dist/ again, in two folders and on two versions of Node'],
    ],
  ],
  'A tag, input, output or file name that a shell or make runs': [
    [
      'test/workflows/foreign-values.test.ts',
      [
        'is no part of a script: it gets there by the environment alone',
        'is never filled into a recipe, but read from the environment',
        'a hostile value is run by no step of ours that it reaches',
        'a hostile value is run by no target of make',
      ],
    ],
  ],
  'A moved tag of an action that our workflows use': [
    ['test/workflows/workflows.test.ts', ['pins what is not ours to a commit and tells its version']],
  ],
  'Being killed, a full disk, a network that breaks': [
    [
      'test/faults/kill.test.ts',
      [
        'leaves nothing broken and sends nothing twice that had arrived, however often it is killed',
        'packs and publishes nothing broken, and moves nothing twice that had arrived, however often it is killed',
      ],
    ],
    ['test/faults/disk.test.ts', ['says so when there is no room for %s, and goes on from there']],
    ['test/faults/matrix.test.ts', []],
    ['test/faults/cache.test.ts', []],
    ['test/faults/pack.test.ts', []],
    ['test/faults/publish.test.ts', []],
  ],
};
