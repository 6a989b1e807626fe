import { readVersions } from '../../config/configuration-file.ts';
import { readGivenImages } from '../../config/images/given-images.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { readAuthorities } from '../../lib/http/certificate-authorities.ts';
import { HttpClient } from '../../lib/http/http.ts';
import type { HttpTimeouts } from '../../lib/http/request-clock.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { SignatureCheck } from '../../signatures/signature-check.ts';
import type { Makers } from '../../upstream/makers.ts';
import { Upstream } from '../../upstream/upstream.ts';
import { type FetchedAddon, fetchAddons } from '../fetch/addon-fetch.ts';
import { ComponentCache, type FileKeeper } from '../fetch/component-cache.ts';
import { requirePolicies } from '../fetch/image-signature.ts';
import { type OpenQuestions, openQuestions } from '../plan/open-questions.ts';
import { resolvePackage } from '../plan/package-resolution.ts';
import type { AddonPlan, PackagePlan } from '../plan/plan.ts';
import { ReleaseKnowledge } from '../plan/release-knowledge.ts';
import { beginResolution } from '../plan/resolution.ts';
import type { PackSettings } from '../settings.ts';
import { type ChosenKubernetes, chooseKubernetes } from './kubernetes-choice.ts';
import { type Lock, lockedAddon, readLock, requireLockedPlan } from './lock-file.ts';
import { askMakers, toldLines } from './maker-questions.ts';
import { chosenLine, fetchedComponentLine } from './wording.ts';
import { workFolder } from './work-folder.ts';

/** What is packed, as far as that is known before images and components are fetched. */
export interface PackTask {
  readonly settings: PackSettings;
  readonly plan: PackagePlan;
  /** What a word such as `latest` means; undefined if the version was given. */
  readonly chosen: ChosenKubernetes | undefined;
  /** The add-ons of the plan, with their manifests fetched. */
  readonly addons: readonly FetchedAddon[];
  readonly lock: Lock | undefined;
  readonly signatures: SignatureCheck | undefined;
}

interface PreparationParts {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
  readonly keeper?: FileKeeper | undefined;
  readonly timeouts?: HttpTimeouts | undefined;
}

const AT_ONCE = 4;
const NOTHING_OPEN: OpenQuestions = { kubeadm: false, components: [] };

/**
 * Plans the package: reads the versions.json, asks upstream for what only upstream knows, and resolves it. Throws every
 * error that can be found before images and components are requested.
 */
export async function prepare(settings: PackSettings, parts: PreparationParts): Promise<PackTask> {
  const { versionConfig, imageFormat, verifySignatures, trustedRoot } = settings;
  const { reporter, signal } = parts;
  const versions = await readVersions(versionConfig, signal);
  const { images: given, notices } = await readGiven(settings, signal);
  for (const { message, place } of notices) reporter.warning(message, place);
  const lock = settings.lock === undefined ? undefined : await readLock(settings.lock, signal);
  using stack = new DisposableStack();
  const makers = stack.use(await Upstream.open(settings, parts));
  const chosen = await chooseVersion(settings, { lock, makers, parts });
  const wanted = { ...settings, kubeVersion: versionOf(settings.kubeVersion) ?? chosen?.version };
  const locked = new ReleaseKnowledge(lock?.kubernetes);
  const { choice } = beginResolution(versions, { version: wanted.kubeVersion, arch: settings.arch }, locked);
  const questions = lock === undefined ? openQuestions(versions, choice, locked) : NOTHING_OPEN;
  const isOpen = questions.kubeadm || questions.components.length > 0;
  // Problems of the file are reported before any request.
  const draft = resolvePackage(versions, wanted, { knowledge: locked, isDraft: isOpen, given });
  const knowledge = isOpen ? await ask(questions, choice.version, { makers, parts }) : locked;
  const addons = await askForAddons(draft.addons, { settings, lock, parts });
  const manifests = new Map(addons.map(({ plan: { name }, manifest }) => [name, manifest]));
  const plan =
    addons.length === 0 && !isOpen
      ? draft
      : resolvePackage(versions, wanted, { manifests, knowledge, given });
  for (const { text, place } of plan.notices) reporter.warning(text, place);
  if (lock !== undefined) requireLockedPlan(lock, { plan, addons, imageFormat });
  const policies = { policies: plan.signatures, trustedRoot, file: versionConfig };
  const signatures = await SignatureCheck.open(verifySignatures, policies, signal);
  if (signatures !== undefined && verifySignatures === 'require') requirePolicies(plan, signatures);
  return { settings, plan, chosen, addons, lock, signatures };
}

/** Returns the images to pack in addition to those of the versions.json. */
function readGiven({ given }: PackSettings, signal: AbortSignal): ReturnType<typeof readGivenImages> {
  return given === undefined ? Promise.resolve({ images: [], notices: [] }) : readGivenImages(given, signal);
}

function versionOf(word: PackSettings['kubeVersion']): KubernetesVersion | undefined {
  return word?.kind === 'version' ? word.version : undefined;
}

async function chooseVersion(
  { kubeVersion: word }: PackSettings,
  {
    lock,
    makers,
    parts: { reporter, signal },
  }: { readonly lock: Lock | undefined; readonly makers: Makers; readonly parts: PreparationParts },
): Promise<ChosenKubernetes | undefined> {
  if (word === undefined || word.kind === 'version') return undefined;
  const chosen = await chooseKubernetes(word, { lock, makers, signal });
  reporter.line(chosenLine(chosen));
  if (chosen.warning !== undefined) reporter.warning(chosen.warning);
  return chosen;
}

async function ask(
  questions: OpenQuestions,
  version: KubernetesVersion,
  { makers, parts: { reporter, signal } }: { readonly makers: Makers; readonly parts: PreparationParts },
): Promise<ReleaseKnowledge> {
  const told = await askMakers(questions, version, { makers, signal });
  for (const line of toldLines(told)) reporter.line(line);
  return new ReleaseKnowledge(told);
}

/** Fetches the manifests of add-ons: from the folder of downloads if they are there, else from upstream. */
async function askForAddons(
  plans: readonly AddonPlan[],
  {
    settings,
    lock,
    parts,
  }: {
    readonly settings: PackSettings;
    readonly lock: Lock | undefined;
    readonly parts: PreparationParts;
  },
): Promise<readonly FetchedAddon[]> {
  if (plans.length === 0) return [];
  const { reporter, signal, environment, keeper, timeouts } = parts;
  const { caFile, tlsSkipVerify: unverified, downloadOutput, githubToken, upstreamMirror: mirror } = settings;
  const authorities = await readAuthorities(caFile, signal);
  using stack = new DisposableStack();
  const http = stack.adopt(new HttpClient({ authorities, unverified, timeouts }), (opened) => opened.close());
  const isDownloaded = plans.some(({ source }) => source.kind === 'download');
  const fetched = await fetchAddons(
    plans.map((plan) => lockedAddon(plan, lock)),
    {
      http,
      retry: settings.retry,
      signal,
      folder: isDownloaded ? workFolder(downloadOutput, '--download-output', environment, reporter) : '.',
      githubToken,
      mirror,
      concurrency: AT_ONCE,
      cache: keeper && new ComponentCache(keeper, reporter),
      onWait: () => reporter.line(`waiting for another run that is fetching into ${downloadOutput}`),
      onRetry: (name, error) => reporter.detail(`${name}: retrying after ${String(error)}`),
      onFetched: (component) => {
        if (component.from === 'network') reporter.line(fetchedComponentLine(component));
        else reporter.detail(`${component.plan.name} ${component.plan.tag} is already fetched`);
      },
    },
  );
  return fetched.map((addon, index) => {
    const plan = plans[index] ?? addon.plan;
    const locked = lock?.addons.get(plan.name);
    return locked === undefined
      ? { ...addon, plan }
      : { ...addon, plan, check: locked.check, mirror: locked.mirror };
  });
}
