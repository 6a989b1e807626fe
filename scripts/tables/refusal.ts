import { Failure } from '../../src/lib/failure.ts';

/**
 * Returns the failure that ends "make tables" before it writes anything: an answer of upstream that cannot be right.
 */
export function refusal(about: string, message: string): Failure<'TABLES_REFUSED'> {
  const hint = 'nothing was written; look at what upstream has there now';
  return new Failure({ code: 'TABLES_REFUSED', about, message, hint });
}
