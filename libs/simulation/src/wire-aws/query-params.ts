import type { Props } from '../aws/props.js';

type Tree = { [key: string]: Tree | string };

/**
 * The flat parameters of AWS's query protocols as a tree: `Tags.member.1.Key=a` and EC2's `Tag.1.Key=a`
 * become lists of objects.
 */
export function queryParams(flat: URLSearchParams): Props {
  const tree: Tree = {};
  for (const [path, value] of flat) {
    const steps = path.split('.');
    const last = steps.pop() as string;
    let node = tree;
    for (const step of steps) {
      const next = Object.hasOwn(node, step) ? node[step] : undefined;
      node = typeof next === 'object' ? next : (node[step] = Object.create(null) as Tree);
    }
    node[last] = value;
  }
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, fold(value)]));
}

function fold(node: Tree | string): unknown {
  if (typeof node === 'string') return node;
  const keys = Object.keys(node);
  const only = keys.length === 1 ? node[keys[0] as string] : undefined;
  if (keys[0] === 'member' && typeof only === 'object') return fold(only);
  if (keys.length > 0 && keys.every((key) => /^\d+$/.test(key))) {
    return keys.sort((a, b) => Number(a) - Number(b)).map((key) => fold(node[key] as Tree | string));
  }
  return Object.fromEntries(keys.map((key) => [key, fold(node[key] as Tree | string)]));
}
