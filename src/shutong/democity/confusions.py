"""Characters that are typed for each other: they sound alike or look alike, or a neighbour on the keyboard was meant.

Composed for the characters of the city's brands and trades. A character stands for any other of its group; one that is
in no group is mistyped as any frequent character.
"""

from __future__ import annotations

from functools import cache

from shutong.democity.words import SYLLABLES

_SOUND_ALIKE = (
    "诚成城程盛承 达大打 德得 登灯邓 鼎顶定 东冬栋 丰峰锋风枫 福富复服 高皋 冠官贯观 广光 国果 海孩 涵函含韩 航杭行 "
    "瀚翰汉 禾和合何河荷 恒衡横 弘宏泓虹鸿洪红 厚后候 华化花 辉晖徽挥 汇惠慧会 吉极集 嘉佳加家 建健坚见 江疆姜将 捷杰洁 "
    "锦金晋进 晶京景敬 久九玖 聚巨居 君军均 俊骏峻 凯楷 康慷 科可课 坤昆 朗郎 乐勒 立丽利力历励 联连莲廉 良粮梁 "
    "林琳霖临 灵领凌玲龄 隆龙珑 路陆露鹿 绿录律 迈麦卖 满曼 茂贸冒 美每媒 梦孟 民闽 铭明名鸣 宁凝 诺糯 鹏朋彭 普谱浦 "
    "祺琪奇启齐其旗 千迁谦签 乾前钱 清青庆卿轻 秋丘邱 全泉权 仁人任 荣容融 如茹儒 瑞锐睿 润闰 善扇 尚上商 升生声胜圣 "
    "实石时食 世士市仕式事 舒书叔 树述数 双爽 顺舜 思斯司 泰太态 腾藤滕 天添 庭廷婷 通同童桐 万湾 旺望王 维威薇伟微 "
    "文纹闻 沃卧 希西熙曦锡 夏厦下 先鲜仙贤 翔祥详香 晓小肖 欣鑫新心馨信 兴星幸 雄熊 旭煦序 轩宣萱 雅亚 岩严研 阳扬洋杨 "
    "耀曜跃 业叶页 怡宜仪 义亿易益逸艺意 茵因音 银引 盈赢莹 永咏泳 优悠友 佑右祐又 余于愉 宇羽雨语玉 裕浴豫 元园圆源原缘 "
    "远苑 悦月越跃 云芸 运韵 泽择则 展占 兆召照 哲者 振震镇 正政证 志智至致知 中忠众钟 卓桌 技术记 贸冒 络落 息吸 件建 "
    "餐参 饮引 管馆 理里 筑祝 装妆庄 饰市 机基 械谢 具俱剧 材才财 环还 保堡宝 物务 流留 输书 车扯 销消 售受 产厂 开凯 "
    "发法 传转 煤媒 广光 告高 教校 育玉 咨资姿 询讯寻 医衣 药要 农浓 织植 制至 造早 包饱 印引 工公功 能龙 投头 税水 "
    "旅履 游油 店点 面免 馆管 锅过 茶查 便变 蔬书 菜采 种中 养阳 殖值 花化 修休 货或 部步"
)
"""Groups of characters with the same or nearly the same sound."""

_LOOK_ALIKE = (
    "厂广 土士 未末 已己巳 人入八 大太犬 天夫无 千干于 日目曰 木本术 田由甲申 力刀 贝见 今令 王玉主 午牛 丰韦 永水 "
    "林森 晶品 日昌 鸟乌 免兔 折拆 析折 纪记 纺仿 绿缘 佳隹 住佳 治冶 冷泠 洋样 泰秦 泉皋 富福 享亨 侯候 科料 枝技 "
    "材村 模膜 密蜜 械诫 备各 设没 询洵 咨资 治洽 环坏 宝宅 城域 域城 汽气 菅管 茶荼 药约 莱菜 晴睛 清请 "
    "盛盔 恒桓 瑞端 润涧 茂芪 莹营 萤莹 薇微 嘉喜 喜善 昊吴 旺昨 晖珲 珲浑 骏俊 鹏鹅 永泳 银很 铭铬 锦绵 鑫金"
)
"""Groups of characters with nearly the same shape."""

FREQUENT = SYLLABLES + "大小新老一二三中东西南北上下山水火土金木石田工农商学"
"""Characters that are typed when nothing particular was confused."""


@cache
def confused(character: str) -> str:
    """Every character that is typed for this one by sound or shape; empty where there is none."""
    groups = [group for group in f"{_SOUND_ALIKE} {_LOOK_ALIKE}".split() if character in group]
    return "".join(dict.fromkeys(other for group in groups for other in group if other != character))
