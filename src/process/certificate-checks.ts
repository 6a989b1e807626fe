const VARIABLE = 'NODE_TLS_REJECT_UNAUTHORIZED';

/**
 * Makes Node check certificates although NODE_TLS_REJECT_UNAUTHORIZED=0 turns the checks off. Call it with the
 * environment of the process before anything connects: Node reads the variable there for each connection, also for those
 * of packages that we do not write. Returns a warning if the variable was set.
 * https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue
 */
export function keepCertificateChecks(environment: Record<string, string | undefined>): string | undefined {
  if (environment[VARIABLE] !== '0') return undefined;
  delete environment[VARIABLE];
  return `${VARIABLE}=0 is ignored, and certificates are verified; use ca-file to trust an authority, or tls-skip-verify for one host`;
}
