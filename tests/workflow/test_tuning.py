from weighbridge.train.lint import Lint, Row, Token
from weighbridge.workflow.tuning import lint_lines


def test_the_lint_shows_what_is_learnt_and_where_it_stops():
    prompt = [Token("<|im_start|>", trained=False, stop=False), Token("Why?\n", trained=False, stop=False)]
    answer = [Token("So", trained=True, stop=False), Token("<|im_end|>", trained=True, stop=True)]
    lint = Lint(findings=(), rows=(Row("e1", (*prompt, *answer)), Row("e2", tuple(prompt))), encoded=())
    good, bad = lint_lines(lint)
    assert good == r"  e1: ...<|im_start|>Why?\n[[So<|im_end|>]]  (2 of 4 tokens are learnt; stop token: <|im_end|>)"
    assert "MISSING" in bad
