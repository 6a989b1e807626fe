import { expect, it } from 'vitest';
import { SingleFlight } from '../../src/lib/single-flight.ts';

async function worksFor(flights: SingleFlight<string, string>, keys: string): Promise<string> {
  let works = '';
  for (const key of keys) {
    await flights.get(key, async () => {
      works += key;
      return key;
    });
  }
  return works;
}

it('works once for a key, and again when it was forgotten', async () => {
  const flights = new SingleFlight<string, string>({ results: 10 });
  expect(await worksFor(flights, 'abab')).toBe('ab');
  flights.forget('a');
  expect(await worksFor(flights, 'ab')).toBe('a');
});

it('remembers as many results as it may, the newest', async () => {
  const flights = new SingleFlight<string, string>({ results: 2 });
  expect(await worksFor(flights, 'abc')).toBe('abc');
  expect(await worksFor(flights, 'bca')).toBe('a');
});

it('remembers no more than a weight, however few that are', async () => {
  const weigh = (result: string): number => (result === 'h' ? 100 : 1);
  const flights = new SingleFlight<string, string>({ results: 100, weight: 10, weigh });
  expect(await worksFor(flights, 'ab')).toBe('ab');
  expect(await worksFor(flights, 'h')).toBe('h');
  expect(await worksFor(flights, 'hab')).toBe('hab');
  expect(await worksFor(flights, 'ab')).toBe('');
});

it('tells a failure to all who waited, and forgets it', async () => {
  const flights = new SingleFlight<string, string>({ results: 10 });
  const work = () => Promise.reject(new Error('no'));
  const both = await Promise.allSettled([flights.get('a', work), flights.get('a', work)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await worksFor(flights, 'a')).toBe('a');
});

it('forgets with a failure no work that was begun for the same key since', async () => {
  const flights = new SingleFlight<string, string>({ results: 10 });
  const [older, newer] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const first = flights.get('a', () => older.promise);
  flights.forget('a');
  const second = flights.get('a', () => newer.promise);
  older.reject(new Error('no'));
  await expect(first).rejects.toThrow('no');
  const third = flights.get('a', () => Promise.resolve('a third time'));
  newer.resolve('the second time');
  expect(await Promise.all([second, third])).toEqual(['the second time', 'the second time']);
});
