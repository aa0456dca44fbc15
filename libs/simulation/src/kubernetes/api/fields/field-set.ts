import type { FieldsV1 } from '../object.js';

/**
 * A set of paths. Elements are written as in FieldsV1: `f:name`, `k:{"name":"x"}`, `v:"x"`. A path may be a member by
 * itself, have members below it, or both.
 */
export class FieldSet {
  readonly members = new Set<string>();
  readonly children = new Map<string, FieldSet>();

  static from(fields: FieldsV1): FieldSet {
    const set = new FieldSet();
    for (const [element, below] of Object.entries(fields)) {
      if (element === '.') continue;
      const names = Object.keys(below);
      if (names.length === 0 || names.includes('.')) set.members.add(element);
      if (names.some((name) => name !== '.')) set.children.set(element, FieldSet.from(below));
    }
    return set;
  }

  toFields(): FieldsV1 {
    const fields: FieldsV1 = {};
    for (const element of [...new Set([...this.members, ...this.children.keys()])].sort()) {
      const child = this.children.get(element);
      if (!child || child.isEmpty) {
        if (this.members.has(element)) fields[element] = {};
        continue;
      }
      fields[element] = { ...(this.members.has(element) && { '.': {} }), ...child.toFields() };
    }
    return fields;
  }

  get isEmpty(): boolean {
    if (this.members.size > 0) return false;
    for (const child of this.children.values()) if (!child.isEmpty) return false;
    return true;
  }

  /** The set below an element, made when it is missing. */
  child(element: string): FieldSet {
    let child = this.children.get(element);
    if (!child) {
      child = new FieldSet();
      this.children.set(element, child);
    }
    return child;
  }

  union(other: FieldSet): FieldSet {
    const result = new FieldSet();
    for (const set of [this, other]) {
      for (const member of set.members) result.members.add(member);
      for (const [element, below] of set.children) {
        const known = result.children.get(element);
        result.children.set(element, known ? known.union(below) : below);
      }
    }
    return result;
  }

  intersection(other: FieldSet): FieldSet {
    const result = new FieldSet();
    for (const member of this.members) if (other.members.has(member)) result.members.add(member);
    for (const [element, below] of this.children) {
      const match = other.children.get(element);
      if (match) result.setChild(element, below.intersection(match));
    }
    return result;
  }

  /** Exact paths only: a removed parent does not take its children along. */
  difference(other: FieldSet): FieldSet {
    const result = new FieldSet();
    for (const member of this.members) if (!other.members.has(member)) result.members.add(member);
    for (const [element, below] of this.children) {
      const match = other.children.get(element);
      result.setChild(element, match ? below.difference(match) : below);
    }
    return result;
  }

  equals(other: FieldSet): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty;
  }

  /** Removes paths with all that is below them. */
  without(paths: readonly (readonly string[])[]): FieldSet {
    const result = this.union(new FieldSet());
    const copy = copyOf(result);
    for (const path of paths) copy.drop(path);
    return copy;
  }

  /** Every member as readable text, in order: `.spec.containers[name="app"].image`. */
  paths(prefix = ''): readonly string[] {
    const result: string[] = [];
    for (const element of [...new Set([...this.members, ...this.children.keys()])].sort()) {
      const here = prefix + readable(element);
      if (this.members.has(element)) result.push(here);
      const child = this.children.get(element);
      if (child) result.push(...child.paths(here));
    }
    return result;
  }

  private setChild(element: string, child: FieldSet): void {
    if (!child.isEmpty) this.children.set(element, child);
  }

  private drop(path: readonly string[]): void {
    const [element, ...rest] = path;
    if (element === undefined) return;
    if (rest.length > 0) {
      this.children.get(element)?.drop(rest);
      return;
    }
    this.members.delete(element);
    this.children.delete(element);
  }
}

function copyOf(set: FieldSet): FieldSet {
  const copy = new FieldSet();
  for (const member of set.members) copy.members.add(member);
  for (const [element, child] of set.children) copy.children.set(element, copyOf(child));
  return copy;
}

function readable(element: string): string {
  const body = element.slice(2);
  if (element.startsWith('f:')) return `.${body}`;
  if (element.startsWith('v:')) return `[=${body}]`;
  const keys = Object.entries(JSON.parse(body) as Record<string, unknown>);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}
