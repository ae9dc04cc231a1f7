"""The code page of a list is guessed from its letters, in the scripts of East Asia as well."""

import pytest

from digest.rules.readers.code_pages import guess_code_page

TEXTS = {
    "cp932": "メールアドレス,氏名,配信停止\n山田太郎,東京都\n鈴木花子,大阪府\n",
    "gb18030": "电子邮件,姓名,状态\n王小明,已订阅\n李华,已退订\n",
    "big5": "電子郵件,姓名,備註\n王小明,您好\n李華,退訂\n",
    "cp949": "이메일,이름,상태\n김철수,구독중\n이영희,수신거부\n",
    "cp1251": "Электронная почта;Статус\nАктивен\nОтписан\n",
    "cp1255": "שם,אימייל\nרונית כהן,ronit@a.example\nיוסי לוי,yossi@a.example\n",
    "cp1256": "الاسم,البريد\nمحمد علي,mo@a.example\nليلى إبراهيم,la@a.example\n",
    "iso8859_6": "الاسم,البريد\nفاطمة حسن,fa@a.example\nأحمد محمود,ah@a.example\n",
    "cp1253": "Όνομα,Διεύθυνση\nΓιώργος Παπαδόπουλος,g@a.example\nΕλένη,e@a.example\n",
    "koi8_r": "Электронная почта;Статус\nАктивен\nОтписан\n",
    "cp1252": "Prénom;Ville\nÉlodie;à Besançon\nJürgen;Köln\nÅsa;på Öland\n",
    "cp1250": "Adres e-mail;Imię\nŻaneta;Łódź\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_code_page_is_guessed_from_the_letters(name: str) -> None:
    assert guess_code_page(TEXTS[name].encode(name)) == name
