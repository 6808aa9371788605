/** SMART scopes in plain words: what an app would see or do. */
import { useI18n } from 'vue-i18n'

const pattern = /^(patient|user)\/(\*|\w+)\.(c?r?u?d?s?)(?:\?(.+))?$/
const filters = ['laboratory', 'vital-signs', 'social-history', 'imaging', 'survey', 'problem-list-item', 'encounter-diagnosis']

export function useScopeText() {
  const { t, te } = useI18n()

  function scopeText(scope: string): string {
    const [, level, type = '', permissions = '', query] = pattern.exec(scope) ?? []
    if (!level) return te(`scope.${scope}`) ? t(`scope.${scope}`) : scope
    const what = type === '*' ? t('scope.everything') : te(`resource.${type}`) ? t(`resource.${type}`) : type
    const act = t(/[cud]/.test(permissions) ? 'scope.write' : 'scope.read', { what: query ? t('scope.only', { what, filter: filterText(query) }) : what })
    return level === 'user' ? t('scope.user', { act }) : act
  }

  function filterText(query: string): string {
    const known = filters.find((each) => query.endsWith(`category=${each}`) || query.endsWith(`|${each}`))
    return known ? t(`scope.filter.${known}`) : query
  }

  return { scopeText }
}
