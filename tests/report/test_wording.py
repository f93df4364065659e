from physadv.report.wording import paragraph


def test_a_paragraph_breaks_between_words_and_never_in_a_link():
    link = "[kurakin-digital.md](kurakin-digital.md)"
    lines = paragraph(f"{'word ' * 19}{link} {'word ' * 30}").splitlines()
    assert len(lines) == 3
    assert all(len(line) <= 110 for line in lines)
    assert any(link in line for line in lines)
