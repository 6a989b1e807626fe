export { RunDeadline } from '../lib/run-deadline.ts';
