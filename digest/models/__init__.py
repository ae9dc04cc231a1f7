"""Tables, enums and plain values: the nouns of the program, a file each.

Open article.py first.
"""

from digest.models.article import Article, Correction, FrozenArticle, Picture, Withdrawal
from digest.models.delivery import (
    OPEN,
    OWNED,
    Delivery,
    DeliveryState,
    Withheld,
    counts,
    in_states,
    is_counted,
)
from digest.models.draft import Approval, DeskAct, Draft, Reach
from digest.models.edition import (
    Cohort,
    Edition,
    EditionCohort,
    EditionName,
    EditionState,
    Form,
    Variant,
    VariantArticle,
)
from digest.models.editor import Editor, EditorSession, PasswordLink, Role
from digest.models.inbound import (
    Answer,
    Bounce,
    BounceWeight,
    Complaint,
    InboundMessage,
    Letter,
    LetterConsent,
    LetterState,
)
from digest.models.ledger import CadenceStart, Key, LearnedLimit, Ledger, Memo, Worker
from digest.models.reply import Outcome, Reply, Stage
from digest.models.source import Source
from digest.models.status import Alert, AlertKind, Audience
from digest.models.story import Fold, Shingle
from digest.models.subscriber import (
    Act,
    Confirmation,
    ConsentEvent,
    MailState,
    NoticeKind,
    ReaderNotice,
    SignUpCount,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)

__all__ = [
    "OPEN",
    "OWNED",
    "Act",
    "Alert",
    "AlertKind",
    "Answer",
    "Approval",
    "Article",
    "Audience",
    "Bounce",
    "BounceWeight",
    "CadenceStart",
    "Cohort",
    "Complaint",
    "Confirmation",
    "ConsentEvent",
    "Correction",
    "Delivery",
    "DeliveryState",
    "DeskAct",
    "Draft",
    "Edition",
    "EditionCohort",
    "EditionName",
    "EditionState",
    "Editor",
    "EditorSession",
    "Fold",
    "Form",
    "FrozenArticle",
    "InboundMessage",
    "Key",
    "LearnedLimit",
    "Ledger",
    "Letter",
    "LetterConsent",
    "LetterState",
    "MailState",
    "Memo",
    "NoticeKind",
    "Outcome",
    "PasswordLink",
    "Picture",
    "Reach",
    "ReaderNotice",
    "Reply",
    "Role",
    "Shingle",
    "SignUpCount",
    "Source",
    "Stage",
    "Subscriber",
    "Subscription",
    "SubscriptionState",
    "Suppression",
    "SuppressionReason",
    "Variant",
    "VariantArticle",
    "Withdrawal",
    "Withheld",
    "Worker",
    "counts",
    "in_states",
    "is_counted",
]
