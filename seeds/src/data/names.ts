/**
 * Family and given names with their readings. Surname weights follow the published national frequency order, with the
 * lower Yangtze's own favourites (沈 陆 顾 钱 …) raised; given names go by sex and birth cohort.
 * Each entry is Han characters, a space, and the reading in toneless pinyin, one syllable a character.
 */

export interface NamePart { han: string; pinyin: string }

function parts(text: string): NamePart[] {
  return text.trim().split(/\s*[,\n]\s*/).map((entry) => {
    const [han = '', ...syllables] = entry.split(' ')
    return { han, pinyin: syllables.join(' ') }
  })
}

function weightedParts(text: string): (readonly [NamePart, number])[] {
  return text.trim().split(/\s*[,\n]\s*/).map((entry) => {
    const [han = '', weight = '1', ...syllables] = entry.split(' ')
    return [{ han, pinyin: syllables.join(' ') }, Number(weight)] as const
  })
}

/** Surname, weight in per mille, reading. */
export const surnames = weightedParts(`
  王 62 wang, 张 58 zhang, 李 55 li, 陈 52 chen, 刘 38 liu, 徐 36 xu, 朱 30 zhu, 周 34 zhou, 吴 33 wu, 沈 28 shen
  陆 26 lu, 顾 25 gu, 杨 24 yang, 赵 20 zhao, 黄 22 huang, 孙 20 sun, 胡 16 hu, 金 18 jin, 钱 15 qian, 曹 13 cao
  俞 11 yu, 唐 13 tang, 施 11 shi, 何 12 he, 郭 11 guo, 林 13 lin, 高 11 gao, 马 10 ma, 罗 9 luo, 郑 10 zheng
  谢 9 xie, 宋 9 song, 许 10 xu, 韩 7 han, 冯 8 feng, 董 8 dong, 潘 9 pan, 于 5 yu, 蒋 11 jiang, 蔡 9 cai
  余 6 yu, 杜 6 du, 叶 9 ye, 程 8 cheng, 苏 6 su, 魏 5 wei, 吕 5 lü, 丁 8 ding, 任 6 ren, 卢 5 lu
  姚 8 yao, 方 7 fang, 姜 5 jiang, 崔 3 cui, 钟 5 zhong, 谭 4 tan, 汪 7 wang, 范 6 fan, 廖 4 liao, 石 5 shi
  戴 6 dai, 贾 3 jia, 韦 2 wei, 夏 6 xia, 邱 5 qiu, 邹 4 zou, 熊 3 xiong, 孟 3 meng, 秦 5 qin, 阎 2 yan
  薛 4 xue, 侯 3 hou, 雷 3 lei, 白 3 bai, 龙 3 long, 段 2 duan, 郝 2 hao, 孔 3 kong, 邵 5 shao, 史 4 shi
  毛 4 mao, 常 2 chang, 万 3 wan, 康 2 kang, 严 5 yan, 倪 6 ni, 盛 4 sheng, 龚 5 gong, 翁 4 weng, 瞿 5 qu
  奚 3 xi, 闵 2 min, 乔 3 qiao, 单 2 shan, 仇 1 qiu, 华 3 hua, 包 4 bao, 费 2 fei, 葛 3 ge, 屠 2 tu
  季 3 ji, 庄 4 zhuang, 凌 3 ling, 殷 3 yin, 陶 5 tao, 浦 1 pu, 查 1 zha, 解 1 xie, 乐 1 yue
  欧阳 2 ou yang, 诸葛 1 zhu ge, 司徒 0.7 si tu, 上官 0.6 shang guan, 皇甫 0.5 huang fu, 慕容 0.3 mu rong
`)

/** Given names common among those born until about 1959. */
const maleOld = parts(`
  德明 de ming, 国强 guo qiang, 建国 jian guo, 志明 zhi ming, 荣根 rong gen, 宝根 bao gen, 福生 fu sheng, 金龙 jin long
  永康 yong kang, 阿根 a gen, 文元 wen yuan, 正明 zheng ming, 士良 shi liang, 根生 gen sheng, 和平 he ping, 长庚 chang geng
  鸿兴 hong xing, 炳荣 bing rong, 祥生 xiang sheng, 连生 lian sheng, 学义 xue yi, 守仁 shou ren, 松年 song nian, 伯良 bo liang
  仲华 zhong hua, 叔平 shu ping, 锦华 jin hua, 维新 wei xin, 耀宗 yao zong, 世昌 shi chang, 家骏 jia jun, 洪生 hong sheng
`)
const femaleOld = parts(`
  秀英 xiu ying, 桂英 gui ying, 玉兰 yu lan, 秀珍 xiu zhen, 凤英 feng ying, 美芳 mei fang, 阿妹 a mei, 林妹 lin mei
  惠珍 hui zhen, 素贞 su zhen, 佩芬 pei fen, 彩娣 cai di, 月娥 yue e, 慧芳 hui fang, 丽华 li hua, 淑琴 shu qin
  招娣 zhao di, 根娣 gen di, 雅琴 ya qin, 静娴 jing xian, 宝珠 bao zhu, 翠英 cui ying, 兰芳 lan fang, 文娟 wen juan
  蕙芬 hui fen, 梅珍 mei zhen, 婉如 wan ru, 瑞珍 rui zhen, 巧云 qiao yun, 金妹 jin mei, 琴芳 qin fang, 云仙 yun xian
`)
/** Born about 1960 to 1979. */
const maleMiddle = parts(`
  伟 wei, 强 qiang, 军 jun, 勇 yong, 建平 jian ping, 国庆 guo qing, 卫东 wei dong, 海涛 hai tao, 志强 zhi qiang, 建华 jian hua
  敏 min, 斌 bin, 峰 feng, 毅 yi, 剑锋 jian feng, 晓明 xiao ming, 国平 guo ping, 文斌 wen bin, 建忠 jian zhong, 伟民 wei min
  俊 jun, 辉 hui, 林 lin, 永明 yong ming, 庆华 qing hua, 志刚 zhi gang, 宏 hong, 亮 liang, 雄 xiong, 卫国 wei guo
  春华 chun hua, 跃进 yue jin, 立新 li xin, 耀东 yao dong, 鸣 ming, 晔 ye, 彪 biao, 炯 jiong, 嵘 rong, 骏 jun
`)
const femaleMiddle = parts(`
  芳 fang, 敏 min, 丽 li, 静 jing, 燕 yan, 红 hong, 萍 ping, 玲 ling, 霞 xia, 琴 qin
  丽萍 li ping, 建芳 jian fang, 惠 hui, 美华 mei hua, 小红 xiao hong, 晓燕 xiao yan, 国英 guo ying, 秋萍 qiu ping, 雅芳 ya fang, 海燕 hai yan
  蓓 bei, 蕾 lei, 洁 jie, 颖 ying, 慧 hui, 志英 zhi ying, 莉莉 li li, 文 wen, 黎明 li ming, 瑛 ying
  爱华 ai hua, 佳 jia, 梅 mei, 婷 ting, 翠萍 cui ping, 勤 qin, 春妹 chun mei, 素芳 su fang, 菁 jing, 虹 hong
`)
/** Born about 1980 to 1999. */
const maleYoung = parts(`
  磊 lei, 超 chao, 鹏 peng, 杰 jie, 浩 hao, 涛 tao, 俊杰 jun jie, 嘉伟 jia wei, 翔 xiang, 晨 chen
  凯 kai, 骏 jun, 昊 hao, 宇 yu, 佳俊 jia jun, 斌斌 bin bin, 文杰 wen jie, 晓峰 xiao feng, 伟杰 wei jie, 志豪 zhi hao
  思远 si yuan, 逸飞 yi fei, 毅恒 yi heng, 嘉明 jia ming, 天宇 tian yu, 泽宇 ze yu, 旻 min, 越 yue, 彬 bin, 宸 chen
  嘉诚 jia cheng, 子豪 zi hao, 睿 rui, 帆 fan, 懿 yi, 皓 hao, 一鸣 yi ming, 润泽 run ze, 弘毅 hong yi, 䶮 yan
`)
const femaleYoung = parts(`
  婷婷 ting ting, 佳 jia, 倩 qian, 雯 wen, 莹 ying, 佳怡 jia yi, 晓雯 xiao wen, 思思 si si, 丹 dan, 琳 lin
  静怡 jing yi, 雅婷 ya ting, 梦洁 meng jie, 诗韵 shi yun, 佳琪 jia qi, 悦 yue, 怡 yi, 璐 lu, 薇 wei, 欣 xin
  晓莉 xiao li, 嘉懿 jia yi, 文婷 wen ting, 依雯 yi wen, 旖旎 yi ni, 冰洁 bing jie, 佩君 pei jun, 之韵 zhi yun, 筱 xiao, 颖 ying
  晨曦 chen xi, 思嘉 si jia, 玮 wei, 韵 yun, 艺 yi, 心怡 xin yi, 㛃 jie, 露 lu, 嫣 yan, 舒 shu, 慧敏 hui min
`)
/** Born since 2000. */
const maleChild = parts(`
  浩然 hao ran, 子轩 zi xuan, 宇轩 yu xuan, 梓睿 zi rui, 奕辰 yi chen, 沐宸 mu chen, 思齐 si qi, 俊熙 jun xi, 睿哲 rui zhe, 明轩 ming xuan
  致远 zhi yuan, 皓轩 hao xuan, 一诺 yi nuo, 景行 jing xing, 承泽 cheng ze, 书铭 shu ming, 嘉树 jia shu, 知行 zhi xing, 星辰 xing chen, 牧野 mu ye
  沐阳 mu yang, 家睿 jia rui, 泽楷 ze kai, 奕博 yi bo, 梓涵 zi han, 天佑 tian you, 弈 yi, 云舟 yun zhou, 鸣谦 ming qian, 𠮷安 ji an
`)
const femaleChild = parts(`
  一诺 yi nuo, 梓萱 zi xuan, 欣怡 xin yi, 诗涵 shi han, 语桐 yu tong, 若汐 ruo xi, 思琪 si qi, 雨萱 yu xuan, 可馨 ke xin, 芷若 zhi ruo
  沐瑶 mu yao, 苡沫 yi mo, 清妍 qing yan, 佳凝 jia ning, 书瑶 shu yao, 安然 an ran, 知夏 zhi xia, 芊羽 qian yu, 梓晴 zi qing, 妙可 miao ke
  悦然 yue ran, 锦瑟 jin se, 晚晴 wan qing, 令仪 ling yi, 昕玥 xin yue, 予安 yu an, 诗语 shi yu, 玥 yue, 静姝 jing shu, 婉清 wan qing
`)

/** Given names by sex and birth year, oldest cohort first; a cohort ends before `until`. */
export const givenNames: readonly { until: number; male: readonly NamePart[]; female: readonly NamePart[] }[] = [
  { until: 1960, male: maleOld, female: femaleOld },
  { until: 1980, male: maleMiddle, female: femaleMiddle },
  { until: 2000, male: maleYoung, female: femaleYoung },
  { until: 9999, male: maleChild, female: femaleChild },
]

/** Ethnic groups seen in the city: GB/T 3304 code, Chinese, English, weight in per mille. */
export const ethnicGroups: readonly (readonly [{ code: string; zh: string; en: string }, number])[] = [
  [{ code: '01', zh: '汉族', en: 'Han' }, 984],
  [{ code: '03', zh: '回族', en: 'Hui' }, 4],
  [{ code: '11', zh: '满族', en: 'Manchu' }, 3],
  [{ code: '10', zh: '朝鲜族', en: 'Korean' }, 2],
  [{ code: '02', zh: '蒙古族', en: 'Mongol' }, 2],
  [{ code: '08', zh: '壮族', en: 'Zhuang' }, 1.5],
  [{ code: '06', zh: '苗族', en: 'Miao' }, 1.5],
  [{ code: '15', zh: '土家族', en: 'Tujia' }, 1],
  [{ code: '05', zh: '维吾尔族', en: 'Uyghur' }, 0.5],
  [{ code: '04', zh: '藏族', en: 'Tibetan' }, 0.5],
]
