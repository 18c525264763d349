import ts from 'typescript';

/**
 * Rewrites a module so that it can be stopped before each of its accesses to shared memory: every function that
 * reaches one becomes a generator, calls of such functions become `yield*`, and
 *
 *     Atomics.store(words, at, value)   becomes   $.store(words, at, value, $.point(site, words, at) && (yield))
 *     words[at] = value                 becomes   $.write(words, at, value, $.point(site, words, at) && (yield))
 *
 * so that arguments are evaluated, then the scheduler may switch to another role, then the access happens. Constructors,
 * getters and closures (but for callbacks of `forEach`) are not split: what they call runs in one go.
 */

/** Names of the variables and fields that hold shared 32-bit words. */
const SHARED_ARRAYS = new Set(['i32', 'words', 'control']);
/** Methods of interfaces that the tests' own objects implement with generators. */
const ALWAYS_STEPPED = ['blockOn', 'waitAsync'];

type NamedFunction = ts.FunctionDeclaration | ts.MethodDeclaration;

function isNamedFunction(node: ts.Node): node is NamedFunction {
  return (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && node.body !== undefined;
}

function atomicsMethod(node: ts.Node): string | null {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return null;
  const { expression, name } = node.expression;
  return ts.isIdentifier(expression) && expression.text === 'Atomics' ? name.text : null;
}

function isSharedElement(node: ts.Node): node is ts.ElementAccessExpression {
  if (!ts.isElementAccessExpression(node)) return false;
  const array = node.expression;
  if (ts.isIdentifier(array)) return SHARED_ARRAYS.has(array.text);
  return ts.isPropertyAccessExpression(array) && SHARED_ARRAYS.has(array.name.text);
}

function calledName(node: ts.CallExpression): string | null {
  if (ts.isIdentifier(node.expression)) return node.expression.text;
  return ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : null;
}

/** A closure that is stepped: the callback of a `forEach`. */
function isSteppedCallback(node: ts.Node): node is ts.ArrowFunction {
  if (!ts.isArrowFunction(node) || !ts.isCallExpression(node.parent)) return false;
  return calledName(node.parent) === 'forEach' && node.parent.arguments[0] === node;
}

/** Whether what the function itself does (closures apart) reaches shared memory, directly or through a name in `stepped`. */
function reachesShared(root: ts.Node, stepped: ReadonlySet<string>): boolean {
  let found = false;
  const visit = (node: ts.Node): void => {
    if (found) return;
    if (node !== root && ts.isFunctionLike(node) && !isSteppedCallback(node)) return;
    if (atomicsMethod(node) !== null || isSharedElement(node)) found = true;
    else if (ts.isCallExpression(node) && stepped.has(calledName(node) ?? '')) found = true;
    else ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

export function parse(fileName: string, source: string): ts.SourceFile {
  return ts.createSourceFile(fileName, source, ts.ScriptTarget.ES2022, true);
}

/** Names of all functions and methods that have to become generators, over all stepped modules together. */
export function steppedNames(files: readonly ts.SourceFile[]): Set<string> {
  const functions: NamedFunction[] = [];
  const collect = (node: ts.Node): void => {
    if (isNamedFunction(node)) functions.push(node);
    ts.forEachChild(node, collect);
  };
  for (const file of files) collect(file);
  const stepped = new Set(ALWAYS_STEPPED);
  for (let size = -1; size !== stepped.size; ) {
    size = stepped.size;
    for (const one of functions) if (reachesShared(one, stepped)) stepped.add(one.name!.getText());
  }
  return stepped;
}

/** Compiles a module to CommonJS; with `stepped` names it is rewritten as said above. `sites` collects where the accesses are. */
export function compile(
  fileName: string,
  source: string,
  stepped: ReadonlySet<string> | null,
  sites: string[],
): string {
  const before = stepped === null ? [] : [stepTransformer(stepped, sites)];
  const { outputText } = ts.transpileModule(source, {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      useDefineForClassFields: false,
    },
    transformers: { before },
  });
  return outputText;
}

function stepTransformer(stepped: ReadonlySet<string>, sites: string[]): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (file) => {
    const { factory } = context;
    const runtime = (method: string, args: readonly ts.Expression[]): ts.Expression =>
      factory.createCallExpression(
        factory.createPropertyAccessExpression(factory.createIdentifier('$'), method),
        undefined,
        args,
      );
    const delegate = (expression: ts.Expression): ts.Expression =>
      factory.createParenthesizedExpression(
        factory.createYieldExpression(factory.createToken(ts.SyntaxKind.AsteriskToken), expression),
      );
    const fail = (node: ts.Node, why: string): never => {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      throw new Error(`${file.fileName}:${line + 1}: ${why}: ${node.getText(file)}`);
    };

    /** `$.method(words, at, ...rest, point)`. */
    const access = (
      node: ts.Node,
      method: string,
      place: readonly [ts.Expression, ts.Expression],
      rest: readonly ts.Expression[],
      splits: boolean,
    ): ts.Expression => {
      // evaluated twice, so it has to be free of accesses and effects
      for (const part of place) if (reachesShared(part, stepped)) fail(node, 'two shared accesses in one');
      if (!splits) return runtime(method, [...place, ...rest]);
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      const site = factory.createNumericLiteral(sites.length);
      sites.push(`${file.fileName}:${line + 1} ${method}`);
      const point = factory.createLogicalAnd(
        runtime('point', [site, ...place]),
        factory.createParenthesizedExpression(factory.createYieldExpression(undefined, undefined)),
      );
      return runtime(method, [...place, ...rest, point]);
    };

    const visitorOf = (splits: boolean): ts.Visitor => {
      const visitMany = (nodes: readonly ts.Expression[]): ts.Expression[] =>
        nodes.map((node) => ts.visitNode(node, visit) as ts.Expression);

      const visitCall = (node: ts.CallExpression): ts.Node => {
        const method = atomicsMethod(node);
        if (method !== null) {
          const [words, at, ...rest] = visitMany(node.arguments) as [ts.Expression, ts.Expression, ...ts.Expression[]];
          if (method !== 'wait') return access(node, method, [words, at], rest, splits);
          if (!splits) fail(node, 'a wait where nothing can be split');
          return delegate(
            runtime('wait', [
              factory.createNumericLiteral(sites.push(`${file.fileName} wait`) - 1),
              words,
              at,
              ...rest,
            ]),
          );
        }
        const name = calledName(node);
        const callback = node.arguments[0];
        if (splits && callback !== undefined && isSteppedCallback(callback) && reachesShared(callback, stepped)) {
          const list = (node.expression as ts.PropertyAccessExpression).expression;
          return delegate(runtime('forEach', [ts.visitNode(list, visit) as ts.Expression, generatorOf(callback)]));
        }
        const call = ts.visitEachChild(node, visit, context);
        if (name === null || !stepped.has(name)) return call;
        return splits ? delegate(runtime('run', [call])) : runtime('complete', [call]);
      };

      const generatorOf = (arrow: ts.ArrowFunction): ts.Expression => {
        const body = ts.isBlock(arrow.body) ? arrow.body : fail(arrow, 'a callback that is no block');
        const made = factory.createFunctionExpression(
          undefined,
          factory.createToken(ts.SyntaxKind.AsteriskToken),
          undefined,
          undefined,
          arrow.parameters,
          undefined,
          ts.visitNode(body, visitorOf(true)) as ts.Block,
        );
        return factory.createCallExpression(factory.createPropertyAccessExpression(made, 'bind'), undefined, [
          factory.createThis(),
        ]);
      };

      const generator = factory.createToken(ts.SyntaxKind.AsteriskToken);
      const withoutAsync = (node: NamedFunction): ts.ModifierLike[] | undefined =>
        node.modifiers?.filter((modifier) => modifier.kind !== ts.SyntaxKind.AsyncKeyword);

      const visitFunction = (node: NamedFunction): ts.Node => {
        const isStepped = stepped.has(node.name!.getText(file)) && reachesShared(node, stepped);
        if (!isStepped) return ts.visitEachChild(node, visitorOf(false), context);
        const body = ts.visitNode(node.body, visitorOf(true)) as ts.Block;
        return ts.isFunctionDeclaration(node)
          ? factory.updateFunctionDeclaration(
              node,
              withoutAsync(node),
              generator,
              node.name,
              node.typeParameters,
              node.parameters,
              undefined,
              body,
            )
          : factory.updateMethodDeclaration(
              node,
              withoutAsync(node),
              generator,
              node.name,
              undefined,
              node.typeParameters,
              node.parameters,
              undefined,
              body,
            );
      };

      const visit: ts.Visitor = (node) => {
        if (isNamedFunction(node)) return visitFunction(node);
        if (ts.isFunctionLike(node)) return ts.visitEachChild(node, visitorOf(false), context);
        if (ts.isCallExpression(node)) return visitCall(node);
        if (splits && ts.isAwaitExpression(node)) {
          return delegate(runtime('await', [ts.visitNode(node.expression, visit) as ts.Expression]));
        }
        if (splits && ts.isVoidExpression(node) && ts.isCallExpression(node.expression)) {
          return delegate(runtime('spawn', [ts.visitEachChild(node.expression, visit, context)]));
        }
        if (ts.isBinaryExpression(node) && isSharedElement(node.left)) {
          if (node.operatorToken.kind !== ts.SyntaxKind.EqualsToken) {
            const isAssignment =
              node.operatorToken.kind <= ts.SyntaxKind.LastAssignment &&
              node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment;
            if (isAssignment) fail(node, 'two shared accesses in one');
          } else {
            const place = visitMany([node.left.expression, node.left.argumentExpression]);
            return access(
              node,
              'write',
              place as unknown as [ts.Expression, ts.Expression],
              visitMany([node.right]),
              splits,
            );
          }
        }
        if (isSharedElement(node)) {
          const place = visitMany([node.expression, node.argumentExpression]);
          return access(node, 'read', place as unknown as [ts.Expression, ts.Expression], [], splits);
        }
        return ts.visitEachChild(node, visit, context);
      };
      return visit;
    };
    return ts.visitEachChild(file, visitorOf(false), context);
  };
}
