import { quoteString } from './quote.js';
import type { Complex } from './types.js';

/** Positions are bytes from the start of the text. */
interface At {
  readonly pos: number;
}

interface TextNode extends At {
  readonly kind: 'text';
  readonly text: string;
}
export interface ActionNode extends At {
  readonly kind: 'action';
  readonly pipe: PipeNode;
}
export interface BranchNode extends At {
  readonly kind: 'if' | 'range' | 'with';
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly otherwise?: ListNode;
}
interface JumpNode extends At {
  readonly kind: 'break' | 'continue';
}
export interface TemplateNode extends At {
  readonly kind: 'template';
  readonly name: string;
  readonly pipe?: PipeNode;
}
export interface ListNode extends At {
  readonly kind: 'list';
  readonly nodes: StatementNode[];
}
/** Ends of blocks, seen by the parser only. */
export interface EndNode extends At {
  readonly kind: 'end' | 'else';
}
export const isEnd = (node: StatementNode | EndNode): node is EndNode =>
  node.kind === 'end' || node.kind === 'else';
export type StatementNode = TextNode | ActionNode | BranchNode | JumpNode | TemplateNode;

export interface PipeNode extends At {
  readonly kind: 'pipe';
  readonly declarations: VariableNode[];
  readonly assign: boolean;
  readonly commands: CommandNode[];
}
export interface CommandNode extends At {
  readonly kind: 'command';
  readonly args: OperandNode[];
}
interface IdentifierNode extends At {
  readonly kind: 'identifier';
  readonly name: string;
}
export interface VariableNode extends At {
  readonly kind: 'variable';
  readonly path: readonly string[];
}
export interface FieldNode extends At {
  readonly kind: 'field';
  readonly path: readonly string[];
}
export interface ChainNode extends At {
  readonly kind: 'chain';
  readonly node: OperandNode;
  readonly path: readonly string[];
}
interface DotNode extends At {
  readonly kind: 'dot';
}
interface NilNode extends At {
  readonly kind: 'nil';
}
interface BoolNode extends At {
  readonly kind: 'bool';
  readonly value: boolean;
}
/** An untyped constant: its value as every type that can hold it. */
export interface NumberNode extends At {
  readonly kind: 'number';
  readonly text: string;
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: Complex;
}
interface StringNode extends At {
  readonly kind: 'string';
  readonly quoted: string;
  readonly text: string;
}
export type OperandNode =
  | IdentifierNode
  | VariableNode
  | FieldNode
  | ChainNode
  | DotNode
  | NilNode
  | BoolNode
  | NumberNode
  | StringNode
  | PipeNode;

export type Node = StatementNode | ListNode | OperandNode | CommandNode;

const pipeText = (pipe: PipeNode): string => {
  const names = pipe.declarations.map((variable) => variable.path.join('.')).join(', ');
  const head = names ? `${names} ${pipe.assign ? '=' : ':='} ` : '';
  return head + pipe.commands.map(nodeText).join(' | ');
};

const argText = (node: OperandNode): string =>
  node.kind === 'pipe' ? `(${pipeText(node)})` : nodeText(node);

/** A node as Go prints it in messages. */
export function nodeText(node: Node): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${pipeText(node.pipe)}}}`;
    case 'if':
    case 'range':
    case 'with': {
      const otherwise = node.otherwise ? `{{else}}${nodeText(node.otherwise)}` : '';
      return `{{${node.kind} ${pipeText(node.pipe)}}}${nodeText(node.list)}${otherwise}{{end}}`;
    }
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'template':
      return `{{template ${quoteString(node.name)}${node.pipe ? ` ${pipeText(node.pipe)}` : ''}}}`;
    case 'list':
      return node.nodes.map(nodeText).join('');
    case 'pipe':
      return pipeText(node);
    case 'command':
      return node.args.map(argText).join(' ');
    default:
      return operandText(node);
  }
}

function operandText(node: Exclude<OperandNode, PipeNode>): string {
  switch (node.kind) {
    case 'identifier':
      return node.name;
    case 'variable':
      return node.path.join('.');
    case 'field':
      return `.${node.path.join('.')}`;
    case 'chain':
      return `${argText(node.node)}.${node.path.join('.')}`;
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
      return node.text;
    case 'string':
      return node.quoted;
  }
}
