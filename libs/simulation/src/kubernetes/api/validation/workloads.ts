import type { StatusCause } from '../api-error.js';
import {
  arrayAt,
  isJsonObject,
  objectAt,
  stringAt,
  valueAt,
  type JsonObject,
  type KubeObject,
} from '../object.js';
import { quantityValue } from '../quantity.js';
import { labelSelectorOf } from '../selectors.js';
import { duplicate, invalidValue, required, unsupported } from './faults.js';
import { labelFaults } from './names.js';

const CONTAINER_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** `claimed`: names of volumes that a StatefulSet's claim templates give. */
export function podSpecFaults(
  spec: JsonObject,
  path: string,
  claimed: readonly unknown[] = [],
): readonly StatusCause[] {
  const faults: StatusCause[] = [];
  if (arrayAt(spec, 'containers').length === 0) faults.push(required(`${path}.containers`));
  const names = new Set<unknown>();
  for (const list of ['initContainers', 'containers'] as const) {
    arrayAt(spec, list).forEach((container, index) => {
      if (isJsonObject(container))
        faults.push(...containerFaults(container, `${path}.${list}[${index}]`, names));
    });
  }
  const volumes = new Set<unknown>();
  arrayAt(spec, 'volumes').forEach((volume, index) => {
    const name = valueAt(volume, 'name');
    if (volumes.has(name)) faults.push(duplicate(`${path}.volumes[${index}].name`, name));
    volumes.add(name);
  });
  faults.push(...mountFaults(spec, path, new Set([...volumes, ...claimed])));
  if (!['Always', 'OnFailure', 'Never'].includes(String(spec['restartPolicy']))) {
    faults.push(
      unsupported(`${path}.restartPolicy`, spec['restartPolicy'], ['Always', 'OnFailure', 'Never']),
    );
  }
  return faults;
}

function containerFaults(container: JsonObject, path: string, names: Set<unknown>): readonly StatusCause[] {
  const faults: StatusCause[] = [];
  const name = container['name'];
  if (typeof name === 'string' && !CONTAINER_NAME.test(name)) {
    faults.push(invalidValue(`${path}.name`, name, 'a lowercase RFC 1123 label is required'));
  }
  if (names.has(name)) faults.push(duplicate(`${path}.name`, name));
  names.add(name);
  if (!container['image']) faults.push(required(`${path}.image`));
  const { limits, requests } = {
    limits: objectAt(container, 'resources', 'limits'),
    requests: objectAt(container, 'resources', 'requests'),
  };
  for (const [resource, request] of Object.entries(requests)) {
    const limit = limits[resource];
    if (limit !== undefined && (quantityValue(String(request)) ?? 0) > (quantityValue(String(limit)) ?? 0)) {
      const why = `must be less than or equal to ${resource} limit of ${String(limit)}`;
      faults.push(invalidValue(`${path}.resources.requests`, request, why));
    }
  }
  arrayAt(container, 'ports').forEach((port, index) => {
    const number = valueAt(port, 'containerPort');
    if (typeof number === 'number' && (number < 1 || number > 65_535)) {
      const field = `${path}.ports[${index}].containerPort`;
      faults.push(invalidValue(field, number, 'must be between 1 and 65535, inclusive'));
    }
  });
  return faults;
}

export const servicePortFaults = (object: KubeObject): readonly StatusCause[] =>
  arrayAt(objectAt(object, 'spec'), 'ports').flatMap((port, index) =>
    ['port', 'targetPort'].flatMap((name) => {
      const number = valueAt(port, name);
      if (typeof number !== 'number' || (number >= 1 && number <= 65_535)) return [];
      return [invalidValue(`spec.ports[${index}].${name}`, number, 'must be between 1 and 65535, inclusive')];
    }),
  );

function mountFaults(spec: JsonObject, path: string, volumes: ReadonlySet<unknown>): readonly StatusCause[] {
  return ['initContainers', 'containers'].flatMap((list) =>
    arrayAt(spec, list).flatMap((container, index) =>
      arrayAt(container, 'volumeMounts').flatMap((mount, position) => {
        const name = valueAt(mount, 'name');
        if (volumes.has(name)) return [];
        const field = `${path}.${list}[${index}].volumeMounts[${position}].name`;
        return [{ reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(name)}`, field }];
      }),
    ),
  );
}

/** A template's own faults, and a selector that would not find the pods made from it. */
export function templateFaults(object: KubeObject): readonly StatusCause[] {
  const faults: StatusCause[] = [];
  const template = objectAt(object, 'spec', 'template');
  const labels = objectAt(template, 'metadata', 'labels') as Record<string, string>;
  faults.push(...labelFaults(labels, 'spec.template.metadata.labels'));
  const selector = valueAt(object, 'spec', 'selector');
  if (object.kind !== 'Job') {
    const why = '`selector` does not match template `labels`';
    const empty = isJsonObject(selector) && Object.keys(selector).length === 0;
    if (empty)
      faults.push(invalidValue('spec.selector', selector, 'empty selector is invalid for deployment'));
    else if (isJsonObject(selector) && !labelSelectorOf(selector)(labels)) {
      faults.push(invalidValue('spec.template.metadata.labels', labels, why));
    }
  }
  const spec = objectAt(template, 'spec');
  if (valueAt(object, 'spec', 'template') !== undefined)
    faults.push(...podSpecFaults(spec, 'spec.template.spec', claimNames(object)));
  faults.push(...restartFaults(object.kind, spec['restartPolicy']));
  const replicas = valueAt(object, 'spec', 'replicas');
  if (typeof replicas === 'number' && replicas < 0) {
    faults.push(invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'));
  }
  return faults;
}

const claimNames = (object: KubeObject): readonly unknown[] =>
  arrayAt(objectAt(object, 'spec'), 'volumeClaimTemplates').map((claim) =>
    valueAt(claim, 'metadata', 'name'),
  );

function restartFaults(kind: string, policy: unknown): readonly StatusCause[] {
  const field = 'spec.template.spec.restartPolicy';
  if (kind === 'Job') return policy === 'Always' ? [unsupported(field, policy, ['OnFailure', 'Never'])] : [];
  return policy === 'Always' || policy === undefined ? [] : [unsupported(field, policy, ['Always'])];
}

export function budgetFaults(object: KubeObject): readonly StatusCause[] {
  const spec = objectAt(object, 'spec');
  const faults: StatusCause[] = [];
  if (spec['minAvailable'] !== undefined && spec['maxUnavailable'] !== undefined) {
    faults.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const name of ['minAvailable', 'maxUnavailable']) {
    const value = spec[name];
    const valid =
      typeof value === 'string' ? /^\d+%$/.test(value) : value === undefined || Number(value) >= 0;
    if (!valid) faults.push(invalidValue(`spec.${name}`, value, 'must be greater than or equal to 0'));
  }
  return faults;
}

export function definitionFaults(object: KubeObject): readonly StatusCause[] {
  const group = stringAt(object, 'spec', 'group');
  const plural = stringAt(object, 'spec', 'names', 'plural');
  const faults: StatusCause[] = [];
  if (object.metadata.name !== `${plural}.${group}`) {
    faults.push(
      invalidValue('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'),
    );
  }
  const stored = arrayAt(object, 'spec', 'versions').filter((one) => valueAt(one, 'storage') === true);
  if (stored.length !== 1) {
    faults.push(
      invalidValue(
        'spec.versions',
        arrayAt(object, 'spec', 'versions').length,
        'must have exactly one version marked as storage version',
      ),
    );
  }
  arrayAt(object, 'spec', 'versions').forEach((version, index) => {
    if (valueAt(version, 'schema', 'openAPIV3Schema') === undefined) {
      faults.push(required(`spec.versions[${index}].schema.openAPIV3Schema`, 'schemas are required'));
    }
  });
  return faults;
}
