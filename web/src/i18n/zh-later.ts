/** The sentences of citizens’ less common pages in Chinese, loaded with the first of those pages. Keys are those of en-later.ts. */
export default {
  waiting: {
    intro: '别人退回的号先给候补的人，按顺序逐一询问。', back: '返回我的预约', list: '正在候补', none: '没有正在候补的科室', noneHint: '看好的医院约满时，可以在医生列表里选择候补。',
    offered: '有号了', waiting: '候补中', offer: '为您留了 {time} 的号。', answerBy: '请在 {time} 前答复，过时会让给下一位。', accept: '接受', decline: '不要了',
    accepted: '已预约成功', declined: '已放弃，号源会让给下一位', left: '已退出候补', days: '{from} 至 {until}', first: '您排在第一位', ahead: '您前面还有 {count} 位',
    unknown: '近一个月退号很少，暂时无法预计。', expectedOn: '按近一个月的退号情况，预计 {day} 前轮到您。', tooLate: '按近一个月的退号情况，大约要等 {days} 天，可能赶不上所选日期。', distance: '住址距医院约 {km} 公里，等候一样久时近者在前。', leave: '退出候补',
    rule: { 'urgent': '家庭医生标记为急需，优先安排。', 'follow-up': '复诊患者，排在急需之后。', 'routine': '按候补先后排队，急需和复诊在前。' }, deadline: '{time} 截止。',
    standing: '爽约与临近取消', missed: '今年爽约 {count} 次，另有临近取消 {late} 次。', barred: '网上预约暂停至 {day}，期间仍可到医院窗口或通过家庭医生预约。',
    levels: '一年内爽约满 {one} 次，暂停网上预约 {oneDays} 天；满 {two} 次，暂停 {twoDays} 天。临近取消 {late} 次按爽约一次计。',
    kind: { 'noshow': '没有按时签到', 'late-cancel': '就诊前不久才取消' }, state: { excused: '已免责', upheld: '维持记录', appealed: '申诉中', counted: '已计入' },
    decision: '医院答复：{text}', appeal: '我有异议', reason: '申诉理由', reasonHint: '例如停诊、交通中断、住院。医院会有人来看。', reasonMissing: '请写明理由。', send: '提交申诉', sent: '申诉已提交，医院会答复您',
    how: '有人退号时，按顺序问到您，您在限定时间内答复即可。最后一天的前一天 18:00 截止。', from: '最早哪天', until: '最晚哪天', half: '上午还是下午', anyHalf: '都可以',
    autoAccept: '轮到我就直接预约，不用再问', join: '加入候补', daysWrong: '最晚的日期不能早于最早的日期。',
  },
  draws: {
    intro: '特别紧张的号源不比谁快：放号前一段时间内登记，放号时抽签。什么时候登记、登记几次、从哪里登记都一样。', open: '现在可以登记', soon: '即将开放登记', past: '已抽签', none: '近期没有需要抽签的门诊', noneHint: '医院把号源设为抽签后，会提前一天在这里公布。',
    mine: '我的登记', opens: '登记：{from} 至 {until}', between: '{from} 至 {until}', placesTerm: '号源', entered: '{count} 人已登记', places: '抽签 {count} 个号', see: '查看', back: '返回抽签列表',
    enter: '登记', enterTitle: '登记抽签', segments: '合适的时段（按喜好选第一、第二志愿）', any: '都可以', firstChoice: '第一志愿', secondChoice: '第二志愿', enteredAt: '您已于 {time} 登记，抽签后会通知您。', withdraw: '撤回登记', withdrawn: '已撤回登记', done: '已登记',
    state: { entered: '等待抽签', won: '抽中', lost: '未抽中', void: '未生效' }, wonText: '已为您约好，请在我的预约中查看。', lostText: '这次没有抽中，可以加入候补。', voidText: '抽中了，但不符合预约规则，号源已给下一位。', closed: '登记已截止，正在抽签。', notYet: '登记尚未开始。',
    proof: '怎样保证公平', proofText: '抽签用一个随机种子。登记开始前，它的“指纹”（SHA-256）已经公布，之后无法更换；抽签后公布种子和全部登记号，任何人都可以重新计算。', commitment: '事先公布的种子指纹', seed: '抽签后公布的种子', listHash: '登记名单的指纹', heldAt: '抽签时间',
    recompute: '由我自己算一遍', computing: '正在计算', equal: '计算结果与公布的完全一致', unequal: '计算结果与公布的不一致', check: { commitment: '种子与事先公布的指纹', list: '名单与名单指纹', winners: '抽中的登记号' }, same: '一致', different: '不一致',
    results: '抽签结果', ticket: '登记号', order: '次序', result: '结果', own: '我的', unavailable: '这个浏览器不能在当前连接下计算，请换用安全连接（https）。',
  },
  hall: { title: '今天各门诊的号码', clinic: '门诊', called: '正在叫', next: '接下来', waiting: '候诊', done: '已看', expected: '未到', all: '全部', none: '现在没有门诊' },
  messages: {
    intro: '就诊提醒按您选的方式和顺序发送；前一种没有读，过一段时间再用下一种。', how: '怎么提醒我', channels: '提醒方式（按顺序）', channel: { app: '站内消息', sms: '短信', phone: '电话' },
    first: '第 {count} 种', off: '不用', language: '用什么语言', languageName: { zh: '中文', en: '英文（English）' }, none: '不发提醒', save: '保存', saved: '已保存提醒方式', chooseTwice: '同一种方式只能选一次。',
    privacy: '短信和电话只说时间和医院，不说科室、医生和姓名。', inbox: '收到的消息（演示）', inboxAbout: '演示环境没有短信和电话线路，本应发到手机的内容显示在这里。', empty: '还没有消息', emptyHint: '预约成功后和就诊前，提醒会出现在这里。',
    read: '已读', unread: '未读', recalled: '已撤回', recalledText: '这条提醒已撤回：预约已取消或改到别的时间。', markRead: '我已读到', answer: '接听并按 1', to: '发往 {address}', open: '查看预约',
  },
} as const
