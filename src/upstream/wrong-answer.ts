/** An answer that is not what was requested. Its message follows the request, as in `kubeadm's constants: it is not Go`. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** The answer that a source has nothing: no such file, or no program that may be run. */
export class NothingThere extends WrongAnswer {}
