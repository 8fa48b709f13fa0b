from fakes import FAKE_DIM, FakeWorker, fake_spaces


def test_the_fake_puts_texts_with_common_words_near_each_other() -> None:
    with FakeWorker() as worker:
        texts = [
            "The cat sat on the mat.",
            "A cat sat on a mat!",
            "Quarterly revenue rose",
        ]
        plans = worker.plan(texts).result()
        encoded = worker.encode(plans).result()
        query = worker.query("cat mat")
        scores = worker.maxsim(query.tokens, encoded.tokens)
    assert encoded.dense.codes.shape == (3, FAKE_DIM)
    assert query.words == ("cat", "mat")
    assert query.real.all()
    assert min(scores.values[:2]) > scores.values[2]
    dots = encoded.dense.codes.astype(int) @ query.dense.codes[0]
    assert min(dots[:2]) > dots[2]


def test_fake_spaces_fit_the_fake_vectors() -> None:
    spaces = fake_spaces()
    with FakeWorker() as worker:
        encoded = worker.encode(worker.plan(["one two"]).result()).result()
    assert spaces["dense"].n_bits == encoded.dense.bits.shape[1] * 8
    assert spaces["late"].n_bits == encoded.tokens.codes.shape[1] * 8
