import { validationError } from '../aws-error.js';
import { isProps, list, props, text, type Props } from '../props.js';

/** What the functions of a template look at. */
export interface Scope {
  readonly account: string;
  readonly region: string;
  readonly stackName: string;
  readonly stackId: string;
  readonly zones: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly mappings: Props;
  readonly conditions: Props;
  /** Physical id of a resource; undefined where it does not exist (yet). */
  physicalId(logicalId: string): string | undefined;
  attribute(logicalId: string, name: string): unknown;
  imported(name: string): string | undefined;
}

/** A value that a plan can only name stands for all of its parts. */
const isForeseen = (value: unknown): boolean => typeof value === 'string' && value.startsWith('{{');

const NO_VALUE = Symbol('AWS::NoValue');

/** The value with all functions applied. Members with `AWS::NoValue` disappear. */
export function resolve(value: unknown, scope: Scope): unknown {
  const result = evaluate(value, scope);
  return result === NO_VALUE ? undefined : result;
}

function evaluate(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value))
    return value.map((item) => evaluate(item, scope)).filter((item) => item !== NO_VALUE);
  if (value instanceof Date) return value.toISOString();
  if (!isProps(value)) return value;
  const keys = Object.keys(value);
  const only = keys.length === 1 ? (keys[0] as string) : undefined;
  const fn = only === undefined ? undefined : FUNCTIONS[only];
  if (fn) return fn(value[only as string], scope);
  if (only?.startsWith('Fn::')) throw validationError(`Template error: unsupported function ${only}`);
  const members = keys.map((key) => [key, evaluate(value[key], scope)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== NO_VALUE));
}

const string = (value: unknown, scope: Scope): string => {
  const result = evaluate(value, scope);
  const asText = text(result);
  if (asText === undefined && result !== '')
    throw validationError(`Template error: every value must be a string, got ${JSON.stringify(result)}`);
  return asText ?? '';
};

const PSEUDO: Readonly<Record<string, (scope: Scope) => unknown>> = {
  'AWS::AccountId': ({ account }) => account,
  'AWS::Region': ({ region }) => region,
  'AWS::StackName': ({ stackName }) => stackName,
  'AWS::StackId': ({ stackId }) => stackId,
  'AWS::Partition': () => 'aws',
  'AWS::URLSuffix': () => 'amazonaws.com',
  'AWS::NotificationARNs': () => [],
  'AWS::NoValue': () => NO_VALUE,
};

function ref(name: string, scope: Scope): unknown {
  const pseudo = PSEUDO[name];
  if (pseudo) return pseudo(scope);
  if (name in scope.parameters) return scope.parameters[name];
  const physical = scope.physicalId(name);
  if (physical === undefined) throw validationError(`Template error: unresolved reference ${name}`);
  return physical;
}

function sub(value: unknown, scope: Scope): string {
  const [pattern, own] = Array.isArray(value)
    ? [String(value[0]), props(value[1])]
    : [String(value), {} as Props];
  return pattern.replace(/\$\{([^}]+)\}/g, (_whole, raw: string) => {
    if (raw.startsWith('!')) return `\${${raw.slice(1)}}`;
    const name = raw.trim();
    if (name in own) return string(own[name], scope);
    const dot = name.indexOf('.');
    const found = dot < 0 ? ref(name, scope) : scope.attribute(name.slice(0, dot), name.slice(dot + 1));
    return Array.isArray(found) ? found.join(',') : String(found);
  });
}

/** Evaluates a named condition of the template. */
export function condition(name: string, scope: Scope): boolean {
  if (!(name in scope.conditions))
    throw validationError(
      `Template error: unresolved condition dependency ${name} in the Conditions block of the template`,
    );
  return truth(scope.conditions[name], scope);
}

function truth(value: unknown, scope: Scope): boolean {
  const result = evaluate(value, scope);
  return result === true || result === 'true';
}

const FUNCTIONS: Readonly<Record<string, (value: unknown, scope: Scope) => unknown>> = {
  Ref: (value, scope) => ref(String(value), scope),
  Condition: (value, scope) =>
    typeof value === 'string' ? condition(value, scope) : { Condition: evaluate(value, scope) },
  'Fn::GetAtt': (value, scope) => {
    const parts =
      typeof value === 'string' ? value.split('.') : list(value).map((part) => string(part, scope));
    return scope.attribute(parts[0] ?? '', parts.slice(1).join('.'));
  },
  'Fn::Sub': sub,
  'Fn::Join': (value, scope) => {
    const [separator, items] = list(value);
    return list(evaluate(items, scope)).map(String).join(String(separator));
  },
  'Fn::Split': (value, scope) => {
    const [separator, source] = list(value);
    return string(source, scope).split(String(separator));
  },
  'Fn::Select': (value, scope) => {
    const [index, items] = list(value);
    const choices = list(evaluate(items, scope));
    const chosen = choices[Number(evaluate(index, scope))];
    if (chosen === undefined && isForeseen(choices[0])) return choices[0];
    if (chosen === undefined)
      throw validationError(
        'Template error: Fn::Select cannot select nonexistent value at index ' + String(index),
      );
    return chosen;
  },
  'Fn::GetAZs': (_value, scope) => [...scope.zones],
  'Fn::Base64': (value, scope) => Buffer.from(string(value, scope)).toString('base64'),
  'Fn::FindInMap': (value, scope) => {
    const [map, top, second] = list(value).map((part) => string(part, scope));
    const found = props(props(scope.mappings[map ?? ''])[top ?? ''])[second ?? ''];
    if (found === undefined)
      throw validationError(`Template error: Unable to get mapping for ${map}::${top}::${second}`);
    return found;
  },
  'Fn::ImportValue': (value, scope) => {
    const name = string(value, scope);
    const found = scope.imported(name);
    if (found === undefined) throw validationError(`No export named ${name} found.`);
    return found;
  },
  'Fn::If': (value, scope) => {
    const [name, yes, no] = list(value);
    return evaluate(condition(String(name), scope) ? yes : no, scope);
  },
  'Fn::Equals': (value, scope) => {
    const [a, b] = list(value).map((part) => evaluate(part, scope));
    return String(a) === String(b);
  },
  'Fn::And': (value, scope) => list(value).every((part) => truth(part, scope)),
  'Fn::Or': (value, scope) => list(value).some((part) => truth(part, scope)),
  'Fn::Not': (value, scope) => !truth(list(value)[0], scope),
  'Fn::Length': (value, scope) => list(evaluate(value, scope)).length,
  'Fn::ToJsonString': (value, scope) => JSON.stringify(evaluate(value, scope)),
};
