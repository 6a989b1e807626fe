import { expect, it } from 'vitest';
import { pullScope, pushScope, scopesBeyond } from '../../src/registry/auth/scope.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';

const APP = parseRepository('team/app');
const PULL = pullScope(APP);
const PUSH = pushScope(APP);

it.each<[named: string[], own: string[], beyond: string[]]>([
  [[], [PULL], []],
  [['repository:team/app:pull'], [PULL], []],
  [['repository:team/app:push,pull'], [PUSH], []],
  [['repository:team/app:pull'], [PUSH], []],
  [['repository:team/app:pull,push'], [PULL], ['repository:team/app:pull,push']],
  [['repository:team/app:*'], [PUSH], ['repository:team/app:*']],
  [['repository:a.example:5000/app:pull'], [PULL], ['repository:a.example:5000/app:pull']],
  [['registry:catalog:*'], ['registry:catalog:*'], []],
  [['aws', 'aws'], [], ['aws']],
  [[`repository:${'x'.repeat(2000)}:pull`], [PULL], []],
])('of the scopes %j, with %j of our own, %j are left to ask for', (named, own, beyond) => {
  expect(scopesBeyond(named, own)).toEqual(beyond);
});
