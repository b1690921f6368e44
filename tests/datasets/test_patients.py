from pathlib import Path

import pandas as pd
import pytest

from analysis.datasets.patients import SAME, stand_in, v7


@pytest.mark.parametrize(
    ("image_id", "tags", "expected"),
    [
        ("images/person12_bacteria_46.jpeg", (), ("kermany-person12_bacteria", "kermany")),
        ("person12_virus_46_1.jpeg", (), ("kermany-person12_virus", "kermany")),
        ("a/IM-0115-0001.jpeg", (), ("kermany-IM-0115", "kermany")),
        ("NORMAL2-IM-0651-0004.jpeg", (), ("kermany-NORMAL2-IM-0651", "kermany")),
        ("IM-0115-0001-0002.png", (), ("kermany-IM-0115", "kermany")),
        ("BACTERIA-1008087-0001.jpeg", (), ("kermany-BACTERIA-1008087", "kermany")),
        ("NORMAL-1003233-0001.jpeg", (), ("kermany-NORMAL-1003233", "kermany")),
        ("NORMAL-10.png", (), ("file-NORMAL-10.png", "unknown")),
        ("x/7.jpg", ("CT", "PatientID:19"), ("cohen-19", "cohen")),
        ("x/7.jpg", ("PatientID:178",), ("cohen-97", "cohen")),
        ("x/7.jpg", ("PatientID:201",), ("cohen-78", "cohen")),
        ("x/person.jpg", ("Age:3",), ("file-x/person.jpg", "unknown")),
        ("x/person1_bacterium.jpg", (), ("file-x/person1_bacterium.jpg", "unknown")),
    ],
)
def test_the_patient_of_an_image(image_id: str, tags: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert (v7(image_id, tags) or stand_in(image_id)) == expected


@pytest.mark.real
def test_every_real_kermany_and_covid_image_has_the_patient_of_the_manifest(real_data: Path) -> None:
    manifest = pd.read_csv(real_data / "manifest.csv", dtype=str)
    known = manifest[manifest["set"].isin(["kermany", "kermany_fullres_subset", "covid19"])]
    assert len(known) == 5856 + 1144 + 430
    for path, patient in zip(known["path"], known["patient_id"], strict=True):
        number = patient.removeprefix("cohen-")
        tags = (f"PatientID:{number}",) if patient != number else ()
        assert (v7(path, tags) or ("",))[0] == (f"cohen-{SAME.get(number, number)}" if tags else patient)
