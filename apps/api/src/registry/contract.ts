import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The same distance from the source and from the build. */
const FILE = fileURLToPath(new URL('../../../../apps/api/contract/cluster-registry.yaml', import.meta.url));

/** The registry's contract, word for word. */
export const CONTRACT = readFileSync(FILE, 'utf8');

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const paths = Object.entries((parse(CONTRACT) as { paths: Readonly<Record<string, object>> }).paths).map(
  ([template, operations]) => ({
    pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}/?$`),
    methods: Object.keys(operations)
      .filter((name) => METHODS.includes(name))
      .map((name) => name.toUpperCase()),
  }),
);

/** Methods that the contract has for a path; none where it has no such path. */
export const allowedMethods = (path: string): readonly string[] =>
  paths.find(({ pattern }) => pattern.test(path))?.methods ?? [];
