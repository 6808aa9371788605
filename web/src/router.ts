/**
 * Every page in one table: address, lazy page, who may enter, the key of its title. After a change of page the h1 takes
 * focus, so that readers hear where they are; a change of the query alone moves nothing.
 */
import { nextTick, watch } from 'vue'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import type { Role } from './api/account.ts'
import { homeOf } from './composables/home-of.ts'
import { i18n, useSentences } from './i18n/i18n.ts'
import { session } from './session.ts'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the title in the language files. */
    title: string
    /** Open to everybody, signed in or not. */
    open?: boolean
    /** Roles that may enter; all signed-in people when left out. */
    roles?: readonly Role[]
    /** One task at a time: the bottom navigation of phones is hidden. */
    task?: boolean
    /** Its sentences are those of the less common pages (i18n/zh-later.ts). */
    later?: boolean
    /** Dense layout for professionals at a desk. */
    compact?: boolean
    /** Shows bills, whose sentences come with the page. */
    bills?: boolean
  }
}

const citizen = ['citizen'] as const
const clinical = ['clinician', 'gp'] as const

const pages: RouteRecordRaw[] = [
  { path: '/', name: 'start', redirect: () => homeOf(session.me?.role ?? null) },
  page('/sign-in', 'sign-in', 'title.signIn', () => import('./pages/account/sign-in.vue'), { open: true }),
  page('/home', 'home', 'title.home', () => import('./pages/account/home.vue'), { roles: citizen }),
  page('/register', 'register', 'title.register', () => import('./pages/account/register.vue'), { open: true, task: true }),
  page('/recover', 'recover', 'title.recover', () => import('./pages/account/recover.vue'), { open: true, task: true, later: true }),
  page('/sign-out', 'sign-out', 'title.signOut', () => import('./pages/account/sign-out.vue'), { open: true, task: true }),
  page('/account', 'account', 'title.account', () => import('./pages/account/account.vue')),
  page('/account/sessions', 'sessions', 'title.sessions', () => import('./pages/account/sessions.vue')),
  page('/account/messages', 'messages', 'title.messages', () => import('./pages/account/messages.vue'), { roles: citizen, later: true }),
  page('/account/security', 'security', 'title.security', () => import('./pages/account/security.vue')),
  page('/authorize/error', 'authorize-error', 'title.authorizeError', () => import('./pages/account/authorize-error.vue'), { open: true, task: true }),
  page('/authorize/:uid', 'authorize', 'title.authorize', () => import('./pages/account/authorize.vue'), { open: true, task: true }),

  page('/book', 'departments', 'title.departments', () => import('./pages/booking/departments.vue'), { roles: citizen }),
  page('/book/check/:appointment', 'check', 'title.check', () => import('./pages/booking/check.vue'), { roles: citizen, task: true }),
  page('/book/done/:appointment', 'done', 'title.done', () => import('./pages/booking/done.vue'), { roles: citizen }),
  page('/book/:department', 'hospitals', 'title.hospitals', () => import('./pages/booking/hospitals.vue'), { roles: citizen }),
  page('/book/:department/:organization', 'doctors', 'title.doctors', () => import('./pages/booking/doctors.vue'), { roles: citizen }),
  page('/book/:department/:organization/wait', 'join-waiting', 'title.joinWaiting', () => import('./pages/booking/join-waiting.vue'), { roles: citizen, task: true, later: true }),
  page('/book/:department/:organization/:practitioner', 'times', 'title.times', () => import('./pages/booking/times.vue'), { roles: citizen, task: true }),
  page('/book/:department/:organization/:practitioner/who', 'who', 'title.who', () => import('./pages/booking/who.vue'), { roles: citizen, task: true }),
  page('/appointments', 'appointments', 'title.appointments', () => import('./pages/booking/appointments.vue'), { roles: citizen }),
  page('/appointments/waiting', 'waiting', 'title.waiting', () => import('./pages/booking/waiting.vue'), { roles: citizen, later: true }),
  page('/draws', 'draws', 'title.draws', () => import('./pages/booking/draws.vue'), { roles: citizen, later: true }),
  page('/draws/:schedule', 'draw', 'title.draw', () => import('./pages/booking/draw.vue'), { roles: citizen, later: true }),
  page('/referrals', 'referrals', 'title.referrals', () => import('./pages/referral/mine.vue'), { roles: citizen, later: true }),
  page('/referrals/book', 'book-referral', 'title.bookReferral', () => import('./pages/referral/book-referral.vue'), { roles: citizen, later: true, task: true }),
  page('/halls/:organization', 'hall', 'title.hall', () => import('./pages/booking/hall.vue'), { open: true, later: true }),
  page('/appointments/:appointment/move', 'move', 'title.move', () => import('./pages/booking/move.vue'), { roles: citizen, task: true }),
  page('/appointments/:appointment', 'appointment', 'title.appointment', () => import('./pages/booking/appointment.vue'), { roles: citizen }),

  page('/record', 'record', 'title.record', () => import('./pages/records/record.vue'), { roles: citizen }),
  page('/record/visits/:encounter', 'record-visit', 'title.visit', () => import('./pages/records/visit.vue'), { roles: citizen }),
  page('/record/privacy', 'privacy', 'title.privacy', () => import('./pages/records/privacy.vue'), { roles: citizen }),
  page('/record/access', 'access-log', 'title.access', () => import('./pages/records/access-log.vue'), { roles: citizen }),

  page('/bills', 'bills', 'title.bills', () => import('./pages/settlement/bills.vue'), { roles: citizen, bills: true }),
  page('/bills/:encounter', 'bill', 'title.bill', () => import('./pages/settlement/bill.vue'), { roles: citizen, bills: true }),

  page('/bills/:encounter/receipt', 'receipt', 'title.receipt', () => import('./pages/settlement/receipt.vue'), { roles: citizen, bills: true }),

  page('/clinic', 'clinic', 'title.clinic', () => import('./pages/clinic/today.vue'), { roles: clinical, compact: true }),
  page('/clinic/patients/:patient', 'clinic-patient', 'title.patient', () => import('./pages/clinic/patient.vue'), { roles: clinical, compact: true }),
  page('/clinic/visits/:appointment', 'write-visit', 'title.writeVisit', () => import('./pages/clinic/write-visit.vue'), { roles: clinical, compact: true }),
  page('/clinic/visits/:appointment/check', 'check-visit', 'title.checkVisit', () => import('./pages/clinic/check-visit.vue'), { roles: clinical, compact: true }),

  page('/clinic/referrals', 'clinic-referrals', 'title.referrals', () => import('./pages/referral/list.vue'), { roles: clinical, compact: true, later: true }),
  page('/clinic/referrals/new', 'refer', 'title.refer', () => import('./pages/referral/refer.vue'), { roles: ['gp'], compact: true, later: true }),
  page('/clinic/referrals/:referral', 'clinic-referral', 'title.referral', () => import('./pages/referral/one.vue'), { roles: clinical, compact: true, later: true }),
  page('/office/referrals', 'office-referrals', 'title.referrals', () => import('./pages/referral/list.vue'), { roles: ['scheduler'], compact: true, later: true }),
  page('/office/referrals/:referral', 'office-referral', 'title.referral', () => import('./pages/referral/one.vue'), { roles: ['scheduler'], compact: true, later: true }),
  page('/clinic/emergency', 'emergency', 'title.emergency', () => import('./pages/clinic/emergency.vue'), { roles: clinical, compact: true }),

  page('/office', 'office', 'title.office', () => import('./pages/desk/office.vue'), { roles: ['scheduler'], compact: true }),
  page('/office/cashier', 'cashier', 'title.cashier', () => import('./pages/settlement/cashier.vue'), { roles: ['scheduler'], compact: true }),
  page('/office/bills/:encounter', 'desk-bill', 'title.deskBill', () => import('./pages/settlement/desk-bill.vue'), { roles: ['scheduler'], compact: true }),
  page('/office/bills/:encounter/receipt', 'desk-receipt', 'title.receipt', () => import('./pages/settlement/receipt.vue'), { roles: ['scheduler'], compact: true }),
  page('/office/days/:day', 'desk-day', 'title.deskDay', () => import('./pages/settlement/desk-day.vue'), { roles: ['scheduler'], compact: true }),
  page('/office/check-in', 'check-in', 'title.checkIn', () => import('./pages/desk/check-in.vue'), { roles: ['scheduler'], compact: true }),
  page('/office/roster', 'roster', 'title.roster', () => import('./pages/desk/roster.vue'), { roles: ['scheduler'], compact: true, later: true }),
  page('/office/supply', 'supply', 'title.supply', () => import('./pages/desk/supply.vue'), { roles: ['scheduler'], compact: true }),
  page('/office/calendar', 'calendar', 'title.calendar', () => import('./pages/desk/calendar.vue'), { roles: ['scheduler'], compact: true, later: true }),
  page('/office/releases', 'releases', 'title.releases', () => import('./pages/desk/releases.vue'), { roles: ['scheduler'], compact: true }),
  page('/office/parameters', 'parameters', 'title.parameters', () => import('./pages/desk/parameters.vue'), { roles: ['scheduler', 'admin-system'], compact: true }),
  page('/notices', 'notices', 'title.notices', () => import('./pages/account/notices.vue'), { roles: ['citizen', 'clinician', 'gp', 'scheduler'], later: true }),
  page('/insurance', 'insurance', 'title.insurance', () => import('./pages/insurer/desk.vue'), { roles: ['insurer'], compact: true }),
  page('/insurance/claims/:message', 'officer-claim', 'title.officerClaim', () => import('./pages/insurer/claim.vue'), { roles: ['insurer'], compact: true }),
  page('/public-health', 'public-health', 'title.publicHealth', () => import('./pages/desk/public-health.vue'), { roles: ['public-health'], compact: true }),
  page('/administration', 'administration', 'title.administration', () => import('./pages/desk/administration.vue'), {
    roles: ['admin-system', 'admin-security'], compact: true,
  }),
  page('/audit', 'audit', 'title.audit', () => import('./pages/desk/audit.vue'), { roles: ['admin-audit'], compact: true }),

  page('/ui', 'gallery', 'title.gallery', () => import('./pages/account/gallery.vue'), { open: true }),
  page('/:path(.*)*', 'not-found', 'title.notFound', () => import('./pages/account/not-found.vue'), { open: true }),
]

function page(path: string, name: string, title: string, component: () => Promise<unknown>, meta: Omit<RouteRecordRaw['meta'] & object, 'title'> = {}): RouteRecordRaw {
  return { path, name, component, meta: { title, ...meta } } as RouteRecordRaw
}

export function makeRouter() {
  const router = createRouter({
    history: createWebHistory(),
    routes: pages,
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
  })

  router.beforeEach(async (to) => {
    if (to.meta.later) await useSentences('later')
    if (to.meta.open) return true
    if (!session.me) return { name: 'sign-in', query: to.path === '/' ? {} : { next: to.fullPath } }
    if (to.meta.roles && !to.meta.roles.includes(session.me.role)) return homeOf(session.me.role)
    if (to.meta.compact) await useSentences('bill', 'work')
    else if (to.meta.bills) await useSentences('bill')
    return true
  })

  router.afterEach(async (to, from, failure) => {
    if (failure) return
    await nextTick()
    showTitle(to.meta.title)
    if (from.name && to.path !== from.path) setTimeout(focusHeading, 60)
  })

  // A new version was installed while this tab was open: its pages are gone from the server, so load the new shell, once.
  router.onError((error: Error, to) => {
    if (!/dynamically imported module|Importing a module script failed|preload/i.test(error.message)) return
    if (reloadedLately()) void router.replace({ name: 'not-found', params: { path: to.path.slice(1).split('/') } })
    else location.assign(to.fullPath)
  })

  watch(() => i18n.global.locale.value, () => showTitle(router.currentRoute.value.meta.title))
  return router
}

function showTitle(key: string | undefined): void {
  const t = i18n.global.t as (key: string) => string
  document.title = key ? `${t(key)} · ${t('app.name')}` : t('app.name')
}

function focusHeading(): void {
  if (document.querySelector('dialog[open]')) return
  const heading = document.querySelector<HTMLElement>('main h1')
  heading?.focus({ preventScroll: true })
}

/** True when this tab has reloaded for a new version within the last minute: then the page is broken, not old. */
function reloadedLately(): boolean {
  try {
    const lately = Date.now() - Number(sessionStorage.getItem('reloaded-at') ?? 0) < 60_000
    sessionStorage.setItem('reloaded-at', String(Date.now()))
    return lately
  } catch {
    return true
  }
}
