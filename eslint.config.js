// Components only: what Vue's templates can get wrong (keys, v-if with v-for, raw HTML, names that do not exist).
// TypeScript files are judged by biome and oxlint; see .ci/test.ts.
import tsParser from '@typescript-eslint/parser'
import vue from 'eslint-plugin-vue'

export default [
  { ignores: ['**/dist/**', '.cache/**', '.data/**'] },
  ...vue.configs['flat/essential'].map((config) => ({ ...config, files: ['**/*.vue'] })),
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tsParser, ecmaVersion: 'latest', sourceType: 'module' } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'vue/no-v-html': 'error',
      'vue/multi-word-component-names': 'off',
      'vue/no-undef-components': ['error', { ignorePatterns: ['RouterView', 'RouterLink', 'i18n-t', 'I18nT'] }],
      'vue/no-unused-refs': 'error',
      'vue/no-unused-properties': 'error',
      'vue/require-explicit-emits': 'error',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/html-button-has-type': 'error',
    },
  },
]
