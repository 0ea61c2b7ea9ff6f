import tseslint from 'typescript-eslint';

const NO_TIME_OR_CHANCE = [
  { object: 'Date', property: 'now', message: 'Time is an argument here.' },
  { object: 'performance', property: 'now', message: 'Time is an argument here.' },
  { object: 'Math', property: 'random', message: 'Randomness is an argument here.' },
  { object: 'process', property: 'env', message: 'The environment is read in cli/ and infra/ only.' },
];
// ECMAScript leaves their last bits to the engine, and V8 has changed them: Math.pow gives other doubles on Node 24 than on 22.
const INEXACT = [
  ...['acos', 'acosh', 'asin', 'asinh', 'atan', 'atan2', 'atanh', 'cbrt', 'cos', 'cosh', 'exp', 'expm1', 'hypot'],
  ...['log', 'log10', 'log1p', 'log2', 'pow', 'sin', 'sinh', 'tan', 'tanh'],
].map((property) => ({ object: 'Math', property, message: 'Its last bits differ between Node versions.' }));

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      'dist',
      'data',
      'coverage',
      'artifacts',
      '.venv',
      '.sluice',
      'infra/console/static',
      'tools/layers/fixture',
      // AssemblyScript, which looks like TypeScript.
      '**/assembly',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', '.dependency-cruiser.cjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-assertions': [
        'error',
        { assertionStyle: 'as', objectLiteralTypeAssertions: 'never' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' },
      ],
      // Numbers are what messages are made of here.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      // A port's method that needs no await is async so that it rejects instead of throwing.
      '@typescript-eslint/require-await': 'off',
      // The hot paths index typed arrays whose bounds an invariant guards; noUncheckedIndexedAccess asks for `!` there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      // Card numbers and ids are spread digit by digit on purpose.
      '@typescript-eslint/no-misused-spread': ['error', { allow: [{ from: 'lib', name: 'string' }, 'string'] }],
    },
  },
  {
    files: ['**/*.test.ts', '**/testing/**'],
    rules: {
      // expect(object.method) looks at it, it does not call it.
      '@typescript-eslint/unbound-method': 'off',
      // vitest's asymmetric matchers (expect.any and so on) are `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    // Nothing pure may know the time, chance or the environment.
    files: ['schemas/**/*.ts', 'operators/**/*.ts', 'models/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**', 'schemas/generate.ts'],
    rules: {
      'no-restricted-properties': ['error', ...NO_TIME_OR_CHANCE],
    },
  },
  {
    files: ['operators/**/*.ts', 'models/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: { 'no-restricted-properties': ['error', ...NO_TIME_OR_CHANCE, ...INEXACT] },
  },
  {
    files: ['pipeline/engine/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-properties': ['error', ...INEXACT] },
  },
  {
    // What decides gives the same bytes under every Node.
    files: ['operators/**/*.ts', 'models/**/*.ts', 'pipeline/engine/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "BinaryExpression[operator='**']", message: 'Its last bits differ between Node versions.' },
        { selector: "AssignmentExpression[operator='**=']", message: 'Its last bits differ between Node versions.' },
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      '@typescript-eslint/no-require-imports': 'off',
      'no-var': 'off',
    },
  },
);
