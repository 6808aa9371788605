/**
 * The 16 districts: real names and codes (GB/T 2260), a centre within their bounds, their share of the population, and
 * invented roads and estates. No road here exists under that name in that district; house numbers are chance.
 */

export interface District {
  /** GB/T 2260, six digits. */
  code: string
  zh: string
  en: string
  latitude: number
  longitude: number
  /** Share of the city's people, per mille. */
  share: number
  /** Stem of the district hospital's name, invented. */
  hospital: { zh: string; en: string }
  /** Streets and towns with a community health centre, invented. */
  communities: readonly { zh: string; en: string }[]
}

function communities(text: string): { zh: string; en: string }[] {
  return text.split(',').map((entry) => {
    const [zh = '', ...en] = entry.trim().split(' ')
    return { zh, en: en.join(' ') }
  })
}

export const districts: readonly District[] = [
  { code: '310101', zh: '黄浦区', en: 'Huangpu District', latitude: 31.222, longitude: 121.481, share: 27, hospital: { zh: '望春', en: 'Wangchun' }, communities: communities('梧桐里 Wutongli, 桂影 Guiying') },
  { code: '310104', zh: '徐汇区', en: 'Xuhui District', latitude: 31.184, longitude: 121.436, share: 45, hospital: { zh: '青枫', en: 'Qingfeng' }, communities: communities('双榆 Shuangyu, 半塘 Bantang') },
  { code: '310105', zh: '长宁区', en: 'Changning District', latitude: 31.220, longitude: 121.404, share: 28, hospital: { zh: '清渠', en: 'Qingqu' }, communities: communities('荷风 Hefeng') },
  { code: '310106', zh: '静安区', en: 'Jing’an District', latitude: 31.243, longitude: 121.452, share: 39, hospital: { zh: '知秋', en: 'Zhiqiu' }, communities: communities('银杏里 Yinxingli, 石桥头 Shiqiaotou') },
  { code: '310107', zh: '普陀区', en: 'Putuo District', latitude: 31.252, longitude: 121.396, share: 50, hospital: { zh: '和畅', en: 'Hechang' }, communities: communities('枣园弄 Zaoyuannong') },
  { code: '310109', zh: '虹口区', en: 'Hongkou District', latitude: 31.268, longitude: 121.491, share: 30, hospital: { zh: '明溪', en: 'Mingxi' }, communities: communities('白鹭湾 Bailuwan') },
  { code: '310110', zh: '杨浦区', en: 'Yangpu District', latitude: 31.276, longitude: 121.527, share: 50, hospital: { zh: '安澜', en: 'Anlan' }, communities: communities('听潮 Tingchao, 芦苇荡 Luweidang') },
  { code: '310112', zh: '闵行区', en: 'Minhang District', latitude: 31.112, longitude: 121.382, share: 107, hospital: { zh: '宝泽', en: 'Baoze' }, communities: communities('竹里 Zhuli, 水杉 Shuishan') },
  { code: '310113', zh: '宝山区', en: 'Baoshan District', latitude: 31.405, longitude: 121.489, share: 90, hospital: { zh: '沐阳', en: 'Muyang' }, communities: communities('望海亭 Wanghaiting') },
  { code: '310114', zh: '嘉定区', en: 'Jiading District', latitude: 31.375, longitude: 121.266, share: 74, hospital: { zh: '禾畔', en: 'Hepan' }, communities: communities('稻香渡 Daoxiangdu') },
  { code: '310115', zh: '浦东新区', en: 'Pudong New Area', latitude: 31.221, longitude: 121.544, share: 228, hospital: { zh: '东澄', en: 'Dongcheng' }, communities: communities('云帆 Yunfan, 柳浦 Liupu, 橘洲 Juzhou, 海棠里 Haitangli') },
  { code: '310116', zh: '金山区', en: 'Jinshan District', latitude: 30.742, longitude: 121.342, share: 33, hospital: { zh: '金渚', en: 'Jinzhu' }, communities: communities('渔歌 Yuge') },
  { code: '310117', zh: '松江区', en: 'Songjiang District', latitude: 31.032, longitude: 121.227, share: 77, hospital: { zh: '茸泉', en: 'Rongquan' }, communities: communities('桑园 Sangyuan') },
  { code: '310118', zh: '青浦区', en: 'Qingpu District', latitude: 31.150, longitude: 121.124, share: 51, hospital: { zh: '淀湄', en: 'Dianmei' }, communities: communities('茶亭 Chating') },
  { code: '310120', zh: '奉贤区', en: 'Fengxian District', latitude: 30.918, longitude: 121.474, share: 46, hospital: { zh: '贤汀', en: 'Xianting' }, communities: communities('杏花渡 Xinghuadu') },
  { code: '310151', zh: '崇明区', en: 'Chongming District', latitude: 31.623, longitude: 121.397, share: 25, hospital: { zh: '瀛岚', en: 'Yinglan' }, communities: communities('芦花 Luhua') },
]

/** Invented roads, Chinese and English. */
export const roads = communities(
  '桂棹路 Guizhao Road, 兰溪北路 Lanxi North Road, 听雨路 Tingyu Road, 枕流路 Zhenliu Road, 半夏路 Banxia Road, 青梧路 Qingwu Road, '
  + '白苹路 Baiping Road, 问渠路 Wenqu Road, 晴川东路 Qingchuan East Road, 云渡路 Yundu Road, 采薇路 Caiwei Road, 鹿鸣西路 Luming West Road, '
  + '流霞路 Liuxia Road, 望舒路 Wangshu Road, 沁芳路 Qinfang Road, 漱石路 Shushi Road, 木樨路 Muxi Road, 荻花路 Dihua Road, '
  + '知鱼路 Zhiyu Road, 停云路 Tingyun Road, 澹水路 Danshui Road, 葭苇路 Jiawei Road, 霁月路 Jiyue Road, 杏雨路 Xingyu Road',
)

/** Invented housing estates. */
export const estates = communities(
  '听雨苑 Tingyu Court, 桂花新村 Guihua New Village, 清渠公寓 Qingqu Apartments, 半夏小区 Banxia Estate, 云渡家园 Yundu Homes, 白鹭新村 Bailu New Village, '
  + '采薇苑 Caiwei Court, 荻花湾 Dihua Bay, 停云里 Tingyunli, 晴川花园 Qingchuan Gardens, 木樨坊 Muxifang, 沁芳邨 Qinfangcun, 漱石公馆 Shushi House, 杏雨新苑 Xingyu New Court',
)

/** The fictitious region of resident IDs and record numbers: 9999 and the district's place in this list, so no real number can appear. */
export function fictitiousRegion(district: District): string {
  return `9999${String(districts.indexOf(district) + 1).padStart(2, '0')}`
}
