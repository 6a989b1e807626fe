/**
 * Matches a duration as people are told it: `350 ms`, `4.2 s`, `5 s`, `3 m 20 s`, `2 h 5 m`. How long a thing takes is up
 * to the machine, so a text that tells it is compared without it.
 */
export const DURATION_TEXT = /\b(?:\d+ h \d+ m|\d+ m \d+ s|\d+(?:\.\d)? s|\d+ ms)\b/g;
