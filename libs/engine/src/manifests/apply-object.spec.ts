import { describe, expect, it } from 'vitest';
import type { Failure } from '#kernel';
import { foreseenRefusal } from './apply-object.js';
import type { Compared } from './compare-objects.js';

/** As kube-apiserver 1.36 words it, shortened: the real one is 2,500 characters of template. */
const IMMUTABLE: Failure = {
  class: 'invalid',
  code: 'api-invalid',
  message:
    'dry-run batch/Job a/migrate: Job.batch "migrate" is invalid: spec.template: Invalid value: {"labels":{}}: field is immutable',
  details: [
    {
      message: 'Invalid value: {"labels":{}}: field is immutable',
      place: { field: 'spec.template' },
    },
  ],
} as unknown as Failure;

const job = (annotations: Readonly<Record<string, string>>): Compared =>
  ({
    staged: {
      object: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'migrate', namespace: 'a', annotations },
      },
      file: 'cluster/manifests/a/job.yaml',
      line: 3,
    },
    live: { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate', namespace: 'a', uid: 'u' } },
    refused: IMMUTABLE,
  }) as unknown as Compared;

describe('what a plan says of an object that the API server refuses', () => {
  it('names the fields that cannot change and the ways out, not the whole template', () => {
    expect(foreseenRefusal(job({}), IMMUTABLE)).toEqual({
      what: 'batch/Job a/migrate: spec.template cannot be changed after creation',
      remedy:
        'Put the old value back, or give it another name; annotate it with fairway.dev/force: enabled to have it deleted and created again.',
    });
  });

  it('says that one which may be made anew is, instead of asking for a fix', () => {
    expect(foreseenRefusal(job({ 'fairway.dev/force': 'enabled' }), IMMUTABLE)).toEqual({
      what: 'batch/Job a/migrate: spec.template cannot be changed after creation: it is deleted and created again',
      remedy: 'Its annotation fairway.dev/force allows it.',
    });
  });
});
