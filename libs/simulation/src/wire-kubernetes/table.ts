import type { IncomingMessage } from 'node:http';
import type { KubeObject } from '../kubernetes/api/object.js';
import { apiVersionOf, resourceName, type ResourceType } from '../kubernetes/api/resource-type.js';
import type { PrinterColumn } from '../kubernetes/api/type-catalog.js';
import type { Exchange } from './exchange.js';
import { shortAge, type Cell, type Column } from './column-readers.js';
import { columnsFor } from './table-columns.js';

/** What kubectl asks for when it prints: the server decides the columns. */
export const wantsTable = (request: IncomingMessage): boolean =>
  /application\/json;as=Table;(v=v1;g=meta\.k8s\.io|g=meta\.k8s\.io;v=v1)/.test(
    String(request.headers.accept ?? '').replaceAll(' ', ''),
  );

export function tableOf(
  exchange: Exchange,
  type: ResourceType,
  objects: readonly KubeObject[],
  resourceVersion: string,
  withColumns = true,
  list: { readonly continue?: string; readonly remainingItemCount?: number } = {},
): unknown {
  const { store } = exchange.cluster;
  const custom = store.catalog.custom(resourceName(type))?.columns.get(type.version);
  const columns = custom && custom.length > 0 ? customColumns(custom) : columnsFor(type);
  const include = exchange.query.get('includeObject') ?? 'Metadata';
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion, ...list },
    columnDefinitions: withColumns ? columns.map(definition) : null,
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.value(object, store.now())),
      ...(include !== 'None' && {
        object:
          include === 'Object'
            ? { ...object, apiVersion: apiVersionOf(type) }
            : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
      }),
    })),
  };
}

const definition = (column: Column) => ({
  name: column.name,
  type: column.type ?? 'string',
  format: column.name === 'Name' ? 'name' : '',
  description: column.name,
  priority: column.wide ? 1 : 0,
});

function customColumns(columns: readonly PrinterColumn[]): readonly Column[] {
  const name: Column = { name: 'Name', value: (object) => object.metadata.name };
  const own = columns.map((column): Column => ({
    name: column.name,
    type: column.type,
    wide: column.priority > 0,
    value: (object, now) => {
      const value = readJsonPath(object, column.jsonPath);
      if (value === undefined || value === null) return column.type === 'date' ? '<unknown>' : '';
      return column.type === 'date' ? shortAge(String(value), now) : (value as Cell);
    },
  }));
  return [name, ...own];
}

/** The simple paths of printer columns: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`, `.a[0]`. */
function readJsonPath(object: unknown, path: string): unknown {
  const steps = path.match(/\[\?\(@\.(?:[^)]*)\)\]|\[\d+\]|\.?[^.[\]]+/g) ?? [];
  let current: unknown = object;
  for (const step of steps) {
    const filter = /^\[\?\(@\.(.+?)\s*==\s*["'](.*)["']\)\]$/.exec(step);
    if (filter) {
      const [, field = '', wanted] = filter;
      current = Array.isArray(current)
        ? current.find((item) => (item as Record<string, unknown> | null)?.[field] === wanted)
        : undefined;
    } else {
      const key = step.replace(/^\.|^\[|\]$/g, '');
      current = (current as Record<string, unknown> | undefined)?.[key];
    }
  }
  return typeof current === 'object' && current !== null ? JSON.stringify(current) : current;
}
