"""Korean names and phrases in espeak-ng's Korean voice: the sets that Vosk is measured on.

    python -m agent.evaluate.korean SETS

The names to learn from (``learn-…``) and those to measure on share family names at most, as people
do: ``names`` are Korean, ``foreign`` from elsewhere in Korean letters, ``english`` in Latin letters
and said by English voices. The Korean model is the one that package registries have; it stands for
the English one, which they have not.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.audio import files
from agent.evaluate import sets, synthesis
from agent.evaluate.synthesis import Voice

SIZE = 87
"""Names of an address book."""
SPEED = 175
"""Of the sets that figures are taken on: what espeak-ng does unless it is told otherwise."""
SPEEDS = (SPEED, 155, 140)
"""Of the set that is learned from."""

SURNAMES = (
    "김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송 류 홍 전 고 문 양 손 배 백 허 유 남 "
    "심 노 하 곽 성 차 주 우 구 민 진 지 엄 채 원 천 방 공 현 함 변 염 여 추 도 소 석 선 설 마 "
    "길 연 위 표 명 기 반 왕 금 옥 육 인 맹 제 모 탁 국 남궁 황보 제갈").split()
SHARES = (21, 15, 8, 5, 5, 2.5, 2, 2, 2, 1.7, 1.5, 1.5, 1.5, 2, 1.5, 1.5, 1.5, 1.4, 1.3, 1.2, 1.1,
          1, 1)
"""Of the commonest family names, in per cent, about as in South Korea; the rest have 0.6 each."""
GIVEN_LEARNED = (
    "민수 지영 서연 도윤 하준 은지 현우 수빈 예린 태호 유진 성민 가은 동현 나래 승우 혜진 준호 "
    "소희 재원 다은 영철 미경 상훈 보라 진석 윤아 찬호 세영 민준 서준 예준 시우 주원 지호 지후 "
    "준서 건우 우진 선우 서진 연우 정우 승현 지훈 민재 현준 은우 시윤 유준 서윤 지우 서현 하은 "
    "하윤 민서 지유 윤서 채원 지민 수아 지안 다인 예은 소율 예나 하린 시은 지원 영수 영호 정호 "
    "영식 정수 성수 광수 영자 순자 정숙 영숙 미숙 경숙 은정 미영 지연 은영 현정 은주 선영").split()
GIVEN = (
    "철수 영희 말자 춘자 복순 명자 정희 순옥 명숙 현숙 영미 은경 혜경 미정 수진 정은 지현 보람 "
    "슬기 아름 한나 지혜 민지 유나 소연 예지 채영 나연 사랑 하늘 종현 상현 병철 동수 기영 성호 "
    "진우 태영 재현 준영 성진 상우 민호 동욱 준혁 승민 도현 지환 시현 재민 태윤 민성 도훈 주호 "
    "은호 이안 로운 태민 정민 윤호 규민 한결 용준 석진 남준 호석 태형 정국 윤기 창민 재중 희철 "
    "시원 동해 경수 세훈 민석 종대").split()
FIRST_LEARNED = (
    "마이클 존 로버트 토마스 다니엘 앤드류 케빈 에드워드 린다 수잔 사라 낸시 마가렛 안나 "
    "올리비아 필립 빅터 루카스 헨리 그레이스").split()
FAMILY_LEARNED = (
    "존슨 윌리엄스 데이비스 윌슨 테일러 잭슨 해리스 톰슨 마르티네스 클라크 루이스 앨런 킹 스콧 "
    "베이커 넬슨 미첼 터너 캠벨 에반스 쿠퍼 모리스 리드 벨 하워드").split()
FIRST = (
    "제임스 데이비드 윌리엄 찰스 매튜 조지 브라이언 제니퍼 바바라 제시카 카렌 리사 에밀리 소피아 "
    "엠마 메그 올리버 샘 클레어 해리").split()
FAMILY = (
    "스미스 브라운 밀러 무어 앤더슨 화이트 마틴 가르시아 로빈슨 로드리게스 워커 영 라이트 그린 "
    "애덤스 카터 로버츠 필립스 파커 존스 바우어 피터슨 그레이 왓슨 브룩스").split()
STRAY_LEARNED = (
    "감사합니다|날씨가 어때요|음악 틀어 줘|아니요|잠깐만요|내일 아침|커피 한 잔|그만해|점심 먹자|"
    "취소해 줘|네 알겠습니다|오늘 일정 알려 줘|라디오를 크게 틀어 줘|비가 올까|"
    "버스는 언제 오나요|물 좀 주세요|나중에 할게요|왼쪽으로 가세요|텔레비전 꺼|"
    "이십오 도로 맞춰 줘|장보기 목록에 우유 추가해 줘|알람 맞춰 줘|회의가 몇 시에 시작해요|"
    "집에 갈래|도서관이 어디에 있나요|약국|주유소가 어디야|책을 읽어 줘|재미있는 이야기 해 줘|"
    "생일 축하해|배가 고파요|창문이 열려 있어|세탁기가 끝났나요|강아지 산책 시킬 시간이야|"
    "메시지 읽어 줘|뉴스 들려 줘|환율이 얼마야|타이머 시작|계속해|이전 곡으로 돌아가|다시 한번|"
    "좋아요|정말이에요|미안합니다|잘 자요|어디 가세요|무슨 뜻이에요|택시 불러 줘|"
    "비행기는 몇 시에 떠나|사진 찍어 줘|배터리가 얼마나 남았어|와이파이 비밀번호가 뭐야|"
    "프린터에 종이가 없어|다음 주 화요일|오후 세 시 반|수고하셨습니다|조심해서 가세요|불이야|"
    "아무도 없어요|잘못 걸었어요|기다려 주세요|김치 볶음밥|설탕 빼고|영수증 주세요|거스름돈|"
    "엘리베이터|삼 번 출구|커튼을 걷어 줘|습도가 높아요").split("|")
STRAY = (
    "안녕하세요|불을 켜 주세요|지금 몇 시예요|괜찮아요|모르겠어요|다시 말해 줘|문을 닫아 줘|"
    "누구세요|창문 열어|천천히|거실 불 꺼 줘|십 분 뒤에 깨워 줘|볼륨을 조금 낮춰 줘|"
    "우산이 필요해|저녁에 뭐 먹을까|전화하지 마|그건 아니에요|오른쪽|에어컨 온도 올려 줘|"
    "청소기 돌려 줘|계란 열 개|아침 일곱 시|길이 막혀요|학교에 가야 해|가까운 병원을 찾아 줘|"
    "편의점|영화 보러 갈까|노래 불러 줘|오늘은 금요일입니다|시간이 없어요|너무 추워|"
    "현관문 잠갔어|고양이 밥 줘|화분에 물 줘야 해|새 소식 있어|축구 경기 결과 알려 줘|"
    "백 더하기 이백은|멈춰|다음 곡|소리가 안 들려요|필요 없어요|싫어요|그럴 리가 없어|천만에요|"
    "좋은 아침이에요|언제 돌아와|한국말로 뭐라고 해요|기차표 예매해 줘|여권을 챙겨야 해|"
    "화면을 밝게 해 줘|충전기가 어디 있지|컴퓨터 켜 줘|내일 모레|십이월 이십오일|반갑습니다|"
    "맛있게 드세요|도와주세요|문 열어 주세요|여보세요|끊을게요|된장찌개|아메리카노 두 잔|"
    "포장해 주세요|카드로 할게요|화장실이 어디예요|지하철역|빨간색으로 바꿔 줘|난방을 꺼 줘|"
    "공기 청정기 켜 줘|어제 산 신발이 작아요|기침이 멈추지 않아요|설거지는 누가 할래|"
    "바람이 세게 분다|여름 방학이 시작됐다|초인종이 울렸어|쓰레기 버리는 날|신문을 가져와|"
    "전등이 나갔어|자전거 타러 가자|수영장|냉장고가 비었어|비누가 떨어졌다|감기에 걸렸어요|"
    "두부 한 모|열쇠를 잃어버렸어|버튼을 누르세요|바다가 보고 싶다|연필과 지우개|택배가 왔습니다|"
    "늦잠을 잤어|조용히 해 줘|얼음물 한 컵|주말에 뭐 해|계단을 올라가|숙제를 다 했니|사과와 배|"
    "건물 뒤쪽 주차장|다리가 아파요|모자를 쓰고 나가|밤하늘의 별|가방이 무거워|국물이 뜨거워요|"
    "선풍기|세 번째 줄 가운데|달력을 넘겨 봐|양말 한 켤레").split("|")


@dataclass(frozen=True, slots=True)
class Book:
    """An address book and what is said to a device that holds it."""

    name: str
    contacts: tuple[str, ...] = field(repr=False)
    stray: tuple[str, ...] = field(repr=False)
    speeds: tuple[int, ...]
    voices: tuple[Voice, ...] = (synthesis.KOREAN,)


def books() -> tuple[Book, ...]:
    """The books to learn from, then those to measure on."""
    learned = (Book("learn-names", people(GIVEN_LEARNED, "0"), tuple(STRAY_LEARNED), SPEEDS),
               Book("learn-foreign", foreigners(FIRST_LEARNED, FAMILY_LEARNED),
                    tuple(STRAY_LEARNED[::3]), SPEEDS))
    return (*learned, Book("names", people(GIVEN, "measured"), tuple(STRAY), (SPEED,)),
            Book("foreign", foreigners(FIRST, FAMILY), tuple(STRAY[::2]), (SPEED,)),
            Book("english", tuple(sets.contacts()), (), (SPEED,),
                 (Voice("espeak-ng", "en-us"), Voice("espeak-ng", "en-gb"))))


def people(given: Sequence[str], seed: str) -> tuple[str, ...]:
    """Distinct Korean names, as common as they are."""
    chance = random.Random(seed)
    shares = [*SHARES, *[.6] * (len(SURNAMES) - len(SHARES))]
    found: dict[str, None] = {}
    while len(found) < SIZE:
        found[chance.choices(SURNAMES, shares)[0] + chance.choice(given)] = None
    return tuple(found)


def foreigners(first: Sequence[str], family: Sequence[str]) -> tuple[str, ...]:
    """Distinct names from elsewhere in Korean letters, as a Korean address book has them."""
    pairs = [f"{one} {other}" for one in first for other in family]
    return tuple(random.Random("foreign").sample(pairs, SIZE))


def write(folder: Path, book: Book) -> Path:
    """Synthesise a book's set; one already there stays as it is.

    Raises:
        AgentError: espeak-ng is not installed or failed.
    """
    manifest = folder / book.name / "manifest.jsonl"
    if manifest.exists():
        return manifest
    (manifest.parent / "clips").mkdir(parents=True, exist_ok=True)
    written = []
    for at, row in enumerate(_rows(book)):
        row["audio"] = f"clips/{at:04}.wav"
        speed = book.speeds[at % len(book.speeds)]
        files.write_wav(manifest.parent / row["audio"],
                        synthesis.speak(row["text"], book.voices[at % len(book.voices)], speed))
        written.append(json.dumps(row, ensure_ascii=False) + "\n")
    (manifest.parent / "context.json").write_text(json.dumps(
        {"previous": [{"speaker": "agent", "text": "누구에게 전화할까요?"}],
         "contacts": book.contacts}, ensure_ascii=False), encoding="utf-8")
    manifest.write_text("".join(written), encoding="utf-8")
    return manifest


def _rows(book: Book) -> Iterator[dict[str, Any]]:
    for kind, texts in (("in-context", book.contacts), ("anti-context", book.stray)):
        for at, text in enumerate(texts):
            yield {"id": f"{book.name}-{kind}-{at:03}", "text": text, "expects": "name",
                   "set": kind}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="synthesise the Korean sets")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for book in books():
        print(write(folder, book))


if __name__ == "__main__":
    main()
