import { complexConstant, numberConstant, runeForms } from './numbers.js';
import type { Token, TokenType } from './token.js';
import { nodeText } from './nodes.js';
import type { CommandNode, NumberNode, OperandNode, PipeNode, VariableNode } from './nodes.js';
import { quoteString, unquoteChar } from './quote.js';
import { TokenReader } from './token-reader.js';

const OPERANDS: ReadonlySet<TokenType> = new Set<TokenType>([
  'bool',
  'charConstant',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
]);

/** Parses what stands inside an action: pipelines, commands and operands. */
export class PipelineParser extends TokenReader {
  /** Names declared so far and still in scope. */
  protected variables: string[] = ['$'];

  protected pipeline(context: string, end: TokenType): PipeNode {
    const first = this.peekNonSpace();
    const declarations: VariableNode[] = [];
    const assign = this.declarations(context, declarations);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.nextNonSpace();
      if (token.type === end) break;
      if (!OPERANDS.has(token.type)) this.unexpected(token, context);
      this.backup();
      commands.push(this.command());
    }
    if (commands.length === 0) this.fail(`missing value for ${context}`);
    commands.slice(1).forEach((command, index) => {
      const kind = command.args[0]?.kind ?? '';
      if (['bool', 'dot', 'nil', 'number', 'string'].includes(kind)) {
        this.fail(`non executable command in pipeline stage ${index + 2}`);
      }
    });
    return { kind: 'pipe', pos: first.pos, declarations, assign, commands };
  }

  /** Reads `$x :=`, `$x =` or, in a range, `$i, $x :=`; returns whether it assigns. */
  protected declarations(context: string, into: VariableNode[]): boolean {
    for (;;) {
      const variable = this.peekNonSpace();
      if (variable.type !== 'variable') return false;
      this.next();
      const after = this.peek();
      const next = this.peekNonSpace();
      const declare = (): void => {
        this.nextNonSpace();
        into.push({ kind: 'variable', pos: variable.pos, path: variable.value.split('.') });
        this.variables.push(variable.value);
      };
      if (next.type === 'assign' || next.type === 'declare') {
        declare();
        return next.type === 'assign';
      }
      if (next.type !== 'char' || next.value !== ',') {
        if (after.type === 'space') this.backup3(variable, after);
        else this.backup2(variable);
        return false;
      }
      declare();
      if (context !== 'range' || into.length >= 2) this.fail(`too many declarations in ${context}`);
      if (!['variable', 'rightDelim', 'rightParen'].includes(this.peekNonSpace().type)) {
        this.fail('range can only initialize variables');
      }
    }
  }

  protected command(): CommandNode {
    const command: CommandNode = { kind: 'command', pos: this.peekNonSpace().pos, args: [] };
    for (;;) {
      this.peekNonSpace();
      const operand = this.operand();
      if (operand) command.args.push(operand);
      const token = this.next();
      if (token.type === 'space') continue;
      if (token.type === 'rightDelim' || token.type === 'rightParen') this.backup();
      else if (token.type !== 'pipe') this.unexpected(token, 'operand');
      break;
    }
    if (command.args.length === 0) this.fail('empty command');
    return command;
  }

  protected operand(): OperandNode | undefined {
    const node = this.term();
    if (!node || this.peek().type !== 'field') return node;
    const { pos } = this.peek();
    const path: string[] = [];
    while (this.peek().type === 'field') path.push(this.next().value.slice(1));
    switch (node.kind) {
      case 'field':
      case 'variable':
        return { ...node, pos, path: [...node.path, ...path] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.fail(`unexpected . after term ${quoteString(nodeText(node))}`);
      default:
        return { kind: 'chain', pos, node, path };
    }
  }

  protected term(): OperandNode | undefined {
    const token = this.nextNonSpace();
    const { pos, value } = token;
    switch (token.type) {
      case 'identifier':
        if (!this.source.hasFunction(value)) this.fail(`function ${quoteString(value)} not defined`);
        return { kind: 'identifier', pos, name: value };
      case 'dot':
      case 'nil':
        return { kind: token.type, pos };
      case 'variable':
        if (!this.variables.includes(value)) this.fail(`undefined variable ${quoteString(value)}`);
        return { kind: 'variable', pos, path: [value] };
      case 'field':
        return { kind: 'field', pos, path: [value.slice(1)] };
      case 'bool':
        return { kind: 'bool', pos, value: value === 'true' };
      case 'charConstant':
      case 'complex':
      case 'number':
        return this.numberTerm(token);
      case 'leftParen': {
        this.enter();
        const pipe = this.pipeline('parenthesized pipeline', 'rightParen');
        this.leave();
        return pipe;
      }
      case 'string':
      case 'rawString':
        return { kind: 'string', pos, quoted: value, text: this.unquoted(token) };
      default:
        this.backup();
        return undefined;
    }
  }

  protected numberTerm(token: Token): NumberNode {
    const base = { kind: 'number', pos: token.pos, text: token.value } as const;
    if (token.type === 'charConstant') {
      const rune = unquoteChar(token.value);
      return typeof rune === 'string' ? this.fail(rune) : { ...base, ...runeForms(rune) };
    }
    if (token.type === 'complex') {
      return {
        ...base,
        ...(complexConstant(token.value) ?? this.fail('syntax error scanning complex number')),
      };
    }
    const forms = numberConstant(token.value, quoteString(token.value));
    return typeof forms === 'string' ? this.fail(forms) : { ...base, ...forms };
  }
}
