"""The code page of a list is guessed from its letters, in the scripts of East Asia as well."""

import pytest

from digest.rules.readers.code_pages import guess_code_page

TEXTS = {
    "cp932": "メールアドレス,氏名,配信停止\n山田太郎,東京都\n鈴木花子,大阪府\n",
    "gb18030": "电子邮件,姓名,状态\n王小明,已订阅\n李华,已退订\n",
    "big5": "電子郵件,姓名,備註\n王小明,您好\n李華,退訂\n",
    "cp949": "이메일,이름,상태\n김철수,구독중\n이영희,수신거부\n",
    "cp1251": "Электронная почта;Статус\nАктивен\nОтписан\n",
    "cp1250": "Adres e-mail;Imię\nŻaneta;Łódź\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_code_page_is_guessed_from_the_letters(name: str) -> None:
    assert guess_code_page(TEXTS[name].encode(name)) == name
