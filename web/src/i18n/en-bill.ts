/** The sentences of bills in English, loaded with the first page that shows one. Keys are those of zh-bill.ts. */
export default {
  due: { by: 'Pay your part of {amount} at the desk before {time}. Otherwise the settlement is undone by itself: funds and account get their money back, and you can settle again.', until: 'Take the patient’s part before {time}. Otherwise the settlement is undone by itself.' },
  selfPay: {
    settle: 'Pay without insurance', question: 'Pay everything yourself, without insurance?',
    'no-coverage': 'We found no insurance valid on {date}. If you were insured that day, ask the insurance desk first and do not pay without insurance.',
    refused: 'The insurance centre refused this bill. If the cause can be put right, do that and settle with insurance instead.',
    effect: 'If you confirm, you pay all of {total} yourself. Neither the insurance fund nor your personal account pays anything.',
    undo: 'To use insurance later, the hospital cashier must undo this settlement first.', confirm: 'Pay {total} without insurance', keep: 'Not now',
  },
  corrected: {
    title: 'Corrected after the books were compared', text: 'The hospital and the insurance centre compared their books of {day}. What the centre decided now counts: ', fund: 'paid by the insurance fund', account: 'paid from the personal account', cash: 'paid in cash', and: ', ', stop: '.',
    desk: 'Where the cash part has changed, the payment desk gives back or takes the difference. Please show this page there.',
  },
  receipt: { paid: 'Taken', open: 'Receipt', number: 'Settlement number', account: 'Paid by the personal account', none: 'This bill is not settled, so there is no receipt.', note: 'Made by the system; ask by the settlement number.' },
  away: {
    title: 'Filing for care away from home', text: 'Insured in {region}. The insurance centre here settles with the insured place, by the terms of that place.', suzhou: 'Suzhou (320500)', other: 'another region ({region})', why: 'Kind of filing',
    hint: 'The bill can be settled without a filing, but less may be paid; emergencies count as filed.', type: { temporary: 'Treated while travelling', referred: 'Referred by a hospital', emergency: 'Emergency', 'long-term': 'Living here' },
    file: 'File with the insured place', filed: 'Filed ({type}), number {number}, valid until {until}. It counts at the settlement.', done: 'Filed',
    packet: 'No fund has paid this time. Keep the packet (invoice, charges, visit and insurance) and claim at the place of insurance.', download: 'Download the packet',
  },
}
