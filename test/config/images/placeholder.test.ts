import { expect, test } from 'vitest';
import { placeholderIn } from '../../../src/config/images/placeholder.ts';

test.each([
  ['nginx:$TAG', 'the variable $TAG'],
  [`nginx:$${'{TAG:-1.29}'}`, `the variable $${'{TAG:-1.29}'}`],
  ['$(REGISTRY)/app', 'the variable $(REGISTRY)'],
  ['${REGISTRY', 'the variable ${REGISTRY'],
  ['nginx:{{ .Values.tag }}', 'the Helm template {{ .Values.tag }}'],
  ['{{ include "app.image" . }}', 'the Helm template {{ include "app.image" . }}'],
  ['{{- $.Values.image -}}', 'the Helm template {{- $.Values.image -}}'],
  ['nginx:{{ nginx_version }}', 'the template {{ nginx_version }}'],
  ['{% if a %}nginx{% endif %}', 'the template {% if a %}'],
  ['nginx:<version>', 'the placeholder <version>'],
])('%s contains %s', (name, what) => {
  expect(placeholderIn(name)).toEqual({ what, hint: expect.stringMatching(/^(?:use|replace) /) });
});

test.each(['nginx:1.29', 'a$', 'price: 5$', 'a < b'])('%s contains none', (name) => {
  expect(placeholderIn(name)).toBeUndefined();
});
