/** The sentences of bills in Chinese, loaded with the first page that shows one. Keys are those of en-bill.ts. */
export default {
  due: { by: '请在 {time} 前到收费处付清自付部分 {amount}，否则结算自动撤销，基金和账户的钱退回原处，可以重新结算。', until: '请在 {time} 前收清自付部分，否则结算自动撤销。' },
  selfPay: {
    settle: '自费结算', question: '不使用医保，全部自费？', 'no-coverage': '没有查到 {date} 有效的医疗保险。如果当天已参保，请先到医保窗口核实，不要自费结算。',
    refused: '医保中心未受理这张账单。如果原因可以解决，请解决后再用医保结算，不要自费结算。', effect: '确认后，{total} 全部由您个人支付，医保基金和个人账户都不支付。',
    undo: '之后要改用医保，须由医院收费窗口撤销这次结算。', confirm: '确认自费 {total}', keep: '暂不结算',
  },
  corrected: {
    title: '对账后有更正', text: '医院与医保中心核对 {day} 的账目后，按医保中心的记录更正：', fund: '医保基金支付', account: '个人账户支付', cash: '个人现金支付', and: '，', stop: '。',
    desk: '个人现金部分有变化的，请凭本页到收费处办理，多退少补。',
  },
  receipt: { open: '收据', paid: '已收', number: '结算编号', account: '个人账户支付', none: '这张账单还没有结算，没有收据。', note: '本收据由系统生成，可凭结算编号查询。' },
  away: {
    title: '异地就医备案', text: '参保地在{region}。结算时由本市医保中心转参保地办理，报销比例按参保地政策。', suzhou: '苏州市（320500）', other: '外地（{region}）', why: '备案类型', hint: '没有备案也能结算，但报销比例可能较低；急诊抢救视同已备案。',
    type: { temporary: '临时外出就医', referred: '转诊', emergency: '急诊抢救', 'long-term': '长期居住' }, file: '向参保地备案', filed: '已备案（{type}），编号 {number}，有效至{until}。结算按此办理。', done: '备案成功',
    packet: '这次没有基金支付。请保存报销材料（票据、明细、就诊和参保信息），到参保地办理手工报销。', download: '下载报销材料',
  },
}
