/** An answer that is not what was asked for. Its message follows what was asked, as in `kubeadm's constants: it is no Go`. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** The answer that there is nothing to ask, which was cheap to find out: no such file, or no program that may be run. */
export class NothingThere extends WrongAnswer {}
