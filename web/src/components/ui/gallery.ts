/** The components of this folder with their states: one list for the gallery page and for the tests. */
import { type Component, defineAsyncComponent } from 'vue'
import { buttonExamples, noticeExamples, tagExamples } from './basics.examples.ts'
import type { Example } from './example.ts'
import { comboboxExamples, errorSummaryExamples, radioCardsExamples, selectExamples } from './fields.examples.ts'
import { emptyExamples, loadExamples, qrExamples, skeletonExamples, summaryListExamples } from './blocks.examples.ts'
import UiButton from './UiButton.vue'
import UiEmpty from './UiEmpty.vue'
import UiErrorSummary from './UiErrorSummary.vue'
import UiLoad from './UiLoad.vue'
import UiNotice from './UiNotice.vue'
import UiQr from './UiQr.vue'
import UiRadioCards from './UiRadioCards.vue'
import UiSelect from './UiSelect.vue'
import UiSkeleton from './UiSkeleton.vue'
import UiSummaryList from './UiSummaryList.vue'
import UiTag from './UiTag.vue'

export const gallery: readonly { name: string; component: Component; examples: readonly Example[] }[] = [
  { name: 'UiButton', component: UiButton, examples: buttonExamples },
  { name: 'UiTag', component: UiTag, examples: tagExamples },
  { name: 'UiNotice', component: UiNotice, examples: noticeExamples },
  { name: 'UiErrorSummary', component: UiErrorSummary, examples: errorSummaryExamples },
  { name: 'UiRadioCards', component: UiRadioCards as Component, examples: radioCardsExamples },
  { name: 'UiSelect', component: UiSelect, examples: selectExamples },
  { name: 'UiCombobox', component: defineAsyncComponent(() => import('./UiCombobox.vue')), examples: comboboxExamples },
  { name: 'UiSummaryList', component: UiSummaryList, examples: summaryListExamples },
  { name: 'UiEmpty', component: UiEmpty, examples: emptyExamples },
  { name: 'UiSkeleton', component: UiSkeleton, examples: skeletonExamples },
  { name: 'UiLoad', component: UiLoad, examples: loadExamples },
  { name: 'UiQr', component: UiQr, examples: qrExamples },
]
