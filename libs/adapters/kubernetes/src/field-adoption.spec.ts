import { describe, expect, it } from 'vitest';
import { adoptionPatch } from './field-adoption.js';

const live = (managedFields: readonly unknown[]) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', resourceVersion: '7', managedFields },
});

describe('adoptionPatch', () => {
  it('unites the fields of kubectl with ours and leaves other managers alone', () => {
    const kubectl = {
      manager: 'kubectl-client-side-apply',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { '.': {}, 'f:old': {} } },
    };
    const ours = {
      manager: 'fairway',
      operation: 'Apply',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:new': {} } },
    };
    const other = { manager: 'controller', operation: 'Update', fieldsV1: { 'f:status': {} } };
    expect(adoptionPatch(live([kubectl, ours, other]), ['kubectl-client-side-apply'], 'fairway')).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [other, { ...ours, fieldsV1: { 'f:data': { '.': {}, 'f:old': {}, 'f:new': {} } } }],
      },
    ]);
  });

  it('has nothing to do where kubectl owns nothing, or only a subresource', () => {
    const scale = { manager: 'kubectl-client-side-apply', operation: 'Update', subresource: 'scale' };
    expect(adoptionPatch(live([scale]), ['kubectl-client-side-apply'], 'fairway')).toBeUndefined();
    expect(adoptionPatch(live([]), ['kubectl-client-side-apply'], 'fairway')).toBeUndefined();
  });
});
