"""Exports of other tools, in small: who is taken, asked, suppressed and refused, by each tool's own rules."""

import itertools
from pathlib import Path

import pytest

from digest.errors import InputError
from digest.rules.readers.row_states import ListState
from digest.settings import Settings, load_settings
from digest.store import schema
from digest.store.database import Database
from digest.tasks.readers.lists.csv_import import DEFAULTS, ImportOptions, import_subscribers, load_catalogue
from digest.tasks.readers.lists.import_report import ImportReport
from digest.tasks.readers.readers import Readers
from tests.conftest import write_config
from tests.tasks.readers.test_csv_import import NOW, TO_BASE32

# Each row's address says what must become of it: in, ask, gone (suppressed), no (refused).
EXPORTS = {
    ("Mailjet", "mailjet.csv"): [
        "Email,Created at,Is Excluded From Campaigns,Is Unsubscribed,Is Opt In Pending,Is Spam Complaining",
        "in@a.example,2025-01-01,false,false,false,false", "gone@a.example,2025-01-01,true,false,false,false",
        "gone2@a.example,2025-01-01,false,true,false,false", "ask@a.example,2025-01-01,false,false,true,false",
        "gone3@a.example,2025-01-01,false,false,false,true",
    ],
    ("AcyMailing", "acymailing.csv"): [
        '"name";"email";"confirmed";"enabled";"listids";"listsubdate";"liststatus"', "Ina;in@a.example;1;1;1;2025-01-01;1",
        "Gus;gone@a.example;1;1;1;2025-01-01;-1", "R;gone2@a.example;1;1;1;2025-01-01;0", "A;ask@a.example;0;1;1;2025-01-01;1",
        "W;ask2@a.example;1;1;1;2025-01-01;2", "D;no@a.example;1;0;1;2025-01-01;1", "T;gone3@a.example;1;1;1,2;2025-01-01;1,-1",
        "P;ask3@a.example;1;1;1,2;2025-01-01;1,2", "X;no2@a.example;1;1;1,2;2025-01-01;1,9",
    ],
    ("CiviCRM", "civicrm.csv"): [
        "Contact ID,Display Name,Email,Do Not Email,No Bulk Emails (User Opt Out),On Hold,Is Deceased", "1,Ina,in@a.example,,,No,",
        "2,D,gone@a.example,Yes,,,", "3,O,gone2@a.example,,Yes,,", "4,H,gone3@a.example,,,On Hold Bounce,", "5,X,gone22@a.example,,,,Yes",
        "6,P,gone23@a.example,,,On Hold Opt Out,",
    ],
    ("Substack", "email_list.quay.csv"): [
        "email,active_subscription,expiry,plan,email_disabled,digest_enabled,created_at", "in@a.example,false,,other,false,false,2025-01-01",
        "gone@deletion-request.substack.com,false,,other,false,false,2025-01-01",
    ],
    ("", "members.csv"): ["email,name", "in@a.example,Ina", "gone@site.invalid,[deleted]", "gone2@anonymized.invalid,anon8"],
    ("", "numbers.csv"): ["email,substatus,subscribed", "no@a.example,1,1", "no2@a.example,-1,1"],
    ("", "signs.csv"): ["email,subscribed", "in@a.example,1", "no@a.example,-1", "gone@a.example,0"],
    ("", "deceased.csv"): ["E-Mail;Name;Verstorben", "in@a.example;Ina;nein", "gone@a.example;Gus;ja", "gone2@a.example;G;2025-03-01"],
    ("", "died.csv"): ["email,name,status", "in@a.example,Ina,active", "gone@a.example,Gus,deceased"],
    ("Moosend", "moosend.csv"): [
        "ID,Email,Name,SubscribeType,CreatedOn,UnsubscribedOn", "1,in@a.example,Ina,1,2025-01-01,",
        "2,gone@a.example,Gus,2,2025-01-01,2025-02-01", "3,gone2@a.example,B,3,2025-01-01,", "4,gone3@a.example,R,4,2025-01-01,",
    ],
    ("Mailgun", "export.csv"): [
        "address,code,error,created_at", "gone@a.example,550,No such user,2025-01-01", "gone2@a.example,552,,2025-01-01",
    ],
    ("SendGrid", "export.csv"): [
        "email,reason,status,created", "gone@a.example,550 5.1.1 No such user,5.1.1,1735689600", "gone2@a.example,unknown,,1735689600",
    ],
    ("ActiveCampaign", "contacts.csv"): [
        "Email,First Name,Last Name,Phone,Status,Date Created", "in@a.example,Ina,G,,1,2025-01-01", "gone@a.example,Gus,G,,2,2025-01-01",
        "gone2@a.example,B,B,,3,2025-01-01", "ask@a.example,A,A,,0,2025-01-01",
    ],
    ("", "polish.csv"): [
        "Adres e-mail;Imię;Status subskrypcji", "in@a.example;Ina;Subskrybowany", "gone@a.example;Gus;Anulowano subskrypcję",
        "gone2@a.example;B;Wyczyszczono", "ask@a.example;A;Niepotwierdzony",
    ],
    ("", "japanese.csv"): [
        "メールアドレス,名前,ステータス", "in@a.example,I,登録済み", "gone@a.example,G,登録解除済み", "gone2@a.example,B,クリーンアップ済み",
    ],
    ("", "german.csv"): [
        "VORNAME;E-Mail-Status;E-Mail", "Ina;Abonniert;in@a.example", "Gus;Auf Sperrliste;gone@a.example",
    ],
    ("", "pending.tsv"): [
        "email\tIs Pending\tName", "in@a.example\tfalse\tIna", "ask@a.example\ttrue\tAsa",
    ],
    ("Mailchimp", "subscribed_members_export_1.csv"): [
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,TAGS",
        "in@a.example,Ina,X,2,2025-01-01 10:00:00,2025-01-01 10:05:00,1,e1,",
    ],
    ("Mailchimp", "unsubscribed_members_export_1.csv"): [
        "Email Address,First Name,MEMBER_RATING,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,EUID",
        'gone@a.example,Gus,2,2025-06-01 10:00:00,May,"NORMAL",1,e1',
        "gone2@a.example,Gil,2,,,,2,e2",
    ],
    ("Mailchimp", "cleaned_members_export_1.csv"): [
        "Email Address,MEMBER_RATING,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID",
        "gone@a.example,2,2025-06-01 10:00:00,May,1,e1",
    ],
    ("Mailchimp", "nonsubscribed_members_export_1.csv"): [
        "Email Address,MEMBER_RATING,LEID,EUID",
        "no@a.example,2,1,e1",
    ],
    ("Mailchimp", "de.csv"): [
        "E-Mail-Adresse,Vorname,Nachname,E-Mail-Marketing-Status,MEMBER_RATING,LEID",
        "in@a.example,Ina,Groß,Abonniert,2,1", "gone@a.example,Gus,G,Abgemeldet,2,2", "gone2@a.example,B,B,Bereinigt,2,3",
        "no@a.example,N,N,Nicht abonniert,2,4", "no2@a.example,N,N,Archiviert,2,5",
    ],
    ("Mailchimp", "fr.csv"): [
        "Adresse e-mail,Prénom,Nom,Statut de l'abonnement,MEMBER_RATING,LEID",
        "in@a.example,Ina,G,Abonné(e),2,1", "gone@a.example,Gus,G,Désabonné(e),2,2", "gone2@a.example,B,B,Nettoyé,2,3",
        "no@a.example,N,N,Non abonné(e),2,4", "no2@a.example,N,N,Archivé(e),2,5",
    ],
    ("Mailchimp", "es.csv"): [
        "Dirección de correo electrónico;Nombre;Apellidos;Estado de la suscripción;MEMBER_RATING;LEID",
        "in@a.example;Ina;G;Suscrito;2;1", "gone@a.example;Gus;G;Suscripción cancelada;2;2", "gone2@a.example;B;B;Depurado;2;3",
        "no@a.example;N;N;No suscrito;2;4", "no2@a.example;N;N;Archivado;2;5",
    ],
    ("Mailchimp", "nl.csv"): [
        "E-mailadres,Voornaam,Abonnementsstatus,MEMBER_RATING,LEID",
        "in@a.example,Ina,Geabonneerd,2,1", "gone@a.example,Gus,Uitgeschreven,2,2", "gone2@a.example,B,Opgeschoond,2,3",
        "no@a.example,N,Niet geabonneerd,2,4", "no2@a.example,N,Gearchiveerd,2,5",
    ],
    ("Mailchimp", "pt.csv"): [
        "Endereço de e-mail,Nome,Status de marketing por e-mail,MEMBER_RATING,LEID",
        "in@a.example,Ina,Inscrito,2,1", "gone@a.example,Gus,Cancelou a inscrição,2,2", "gone2@a.example,B,Limpo,2,3",
        "no@a.example,N,Não inscrito,2,4",
    ],
    ("Mailchimp", "it.csv"): [
        "Indirizzo e-mail,Nome,Cognome,Stato dell'iscrizione,MEMBER_RATING,LEID",
        "in@a.example,Ina,G,Iscritto,2,1", "gone@a.example,Gus,G,Disiscritto,2,2", "gone2@a.example,B,B,Pulito,2,3",
        "no@a.example,N,N,Archiviato,2,4",
    ],
    # A heading that its tool does not have, over words of departures.
    ("Mailchimp", "sv.csv"): [
        "E-postadress,Förnamn,MEMBER_RATING,LEID,Prenumeration",
        "in@a.example,Ina,2,1,Prenumererar", "no@a.example,Gus,2,2,Avregistrerad", "no2@a.example,B,2,3,Rensad",
    ],
    ("Google Groups", "members.csv"): [
        "Email address,Nickname,Group status,Email status,Email preference,Posting permissions,Join year",
        "in@a.example,Ina,member,,each message,allowed,2025", "gone@a.example,Gus,member,bouncing,each message,allowed,2025",
        "ask@a.example,Ann,invited,,each message,allowed,2025", "no@a.example,N,member,,no email,allowed,2025",
    ],
    ("", "prenumerationsstatus.csv"): [
        "email,Prenumerationsstatus,Leveransstatus",
        "in@a.example,prenumererar,skickad", "gone@a.example,avregistrerad,skickad",
    ],
    ("Substack", "email_list.csv"): [
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
        "in@a.example,false,,other,false,2025-01-01,", "in2@a.example,true,2027-01-01,yearly,false,2025-01-01,2025-01-02",
        "gone@a.example,true,2027-01-01,yearly,true,2025-01-01,",
    ],
    ("Substack", "subscribers.csv"): [
        "user_email_address,user_name,subscription_type,state,is_subscribed,unsubscribed_at",
        "in@a.example,Ina,free,CA,true,", "gone@a.example,Gus,free,NY,false,2025-01-01T00:00:00Z",
    ],
    ("Ghost", "members.csv"): [
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers",
        "1,in@a.example,Ina,,true,false,,2025-01-01,,,", "2,gone@a.example,Otto,,false,false,,2025-01-01,,,",
        "3,gone2@a.example,Gus,,true,false,,2025-01-01,2025-06-01,,",
    ],
    ("listmonk", "subscribers.csv"): [
        "uuid,email,name,attributes,status,created_at,updated_at",
        'u1,in@a.example,Ina,"{""city"": ""Oslo""}",enabled,2025,2025', "u2,gone@a.example,Gus,{},blocklisted,2025,2025",
        "u3,no@a.example,Dis,{},disabled,2025,2025",
    ],
    ("Buttondown", "subscribers.csv"): [
        "email_address,creation_date,type,notes,metadata,unsubscription_date,undeliverability_date",
        "in@a.example,2025,regular,,,,", "in2@a.example,2025,past_due,,,,", "ask@a.example,2025,unactivated,,,,",
        "gone@a.example,2025,unsubscribed,,,2025-02-02,", "gone2@a.example,2025,regular,,,,2025-02-02", "no@a.example,2025,spammy,,,,",
    ],
    ("Beehiiv", "subscribers.csv"): [
        "email,status,created_at,utm_source,utm_medium,subscription_premium_tier_names,subscription_tier",
        "in@a.example,active,2025,,,,free", "ask@a.example,pending,2025,,,,free", "ask2@a.example,validating,2025,,,,free",
        "gone@a.example,inactive,2025,,,,free", "gone2@a.example,invalid,2025,,,,free",
    ],
    ("Kit", "subscribers.csv"): [
        "first_name,email,state,created_at",
        "Ina,in@a.example,active,2025", "Ann,ask@a.example,inactive,2025", "Gus,gone@a.example,cancelled,2025",
        "Bo,gone2@a.example,bounced,2025", "Co,gone3@a.example,complained,2025",
    ],
    ("Mailman 3", "members.csv"): [
        "email,display_name,role,delivery_mode,delivery_status,moderation_action",
        "in@a.example,Ina,member,regular,DeliveryStatus.enabled,", "gone@a.example,Gus,member,regular,DeliveryStatus.by_user,",
        "gone2@a.example,Bo,member,regular,by_bounces,", "no@a.example,N,nonmember,regular,enabled,", "no2@a.example,M,member,regular,by_moderator,",
    ],
    ("Mailman 2", "roster.csv"): [
        "address,name,mod,hide,nomail,ack",
        "in@a.example,Ina,off,off,off,on", "gone@a.example,Gus,off,off,[U],on", "gone2@a.example,Bo,off,off,[B],on", "no@a.example,Ad,off,off,[A],on",
    ],
    ("Mailtrain", "list.csv"): [
        "cid,email,MERGE_FIRST_NAME,status",
        "c1,in@a.example,Ina,1", "c2,gone@a.example,Gus,2", "c3,gone2@a.example,Bo,3", "c4,gone3@a.example,Co,4", "c5,no@a.example,No,9",
    ],
    ("Mailtrain", "subscriptions-abc-0-2025-01-01T00:00:00.000Z.csv"): [
        "cid,status,HASH_EMAIL,EMAIL,MERGE_FIRST_NAME",
        "c1,subscribed,h,in@a.example,Ina", "c2,unsubscribed,h,gone@a.example,Gus", "c3,bounced,h,gone2@a.example,Bo", "c4,complained,h,gone3@a.example,Co",
    ],
    ("Keila", "contacts.csv"): [
        "Email,First name,Last name,Data,Status",
        "in@a.example,Ina,X,,active", "gone@a.example,Gus,X,,unreachable", "gone2@a.example,Otto,X,,unsubscribed",
    ],
    ("phpList", "phplist.csv"): [
        "id\tEmail\tIs this subscriber confirmed\tIs this subscriber blacklisted\tNumber of bounces\tList Membership",
        "1\tin@a.example\t1\t0\t2\tnews", "2\task@a.example\t0\t0\t0\tnews", "3\tgone@a.example\t1\t1\t0\tnews",
    ],
    ("MailPoet", "MailPoet_export_1.csv"): [
        '"Email","First name","Last name","Subscription IP","Subscription time","Confirmation time","List status","Global status","List"',
        '"in@a.example","Ina \\"I\\"","X","","","","subscribed","subscribed","News"', '"gone@a.example","G","X","","","","unsubscribed","subscribed","News"',
        '"gone2@a.example","B","X","","","","subscribed","bounced","News"', '"ask@a.example","A","X","","","","subscribed","unconfirmed","News"',
        '"no@a.example","I","X","","","","subscribed","inactive","News"',
    ],
    ("Brevo", "contacts.csv"): [
        "CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;DOUBLE_OPT-IN;ADDED_TIME;MODIFIED_TIME",
        "1;in@a.example;Ina;X;;0;1;1;2025;2025", "2;gone@a.example;Gus;X;;1;0;1;2025;2025", "3;ask@a.example;Ann;X;;0;0;2;2025;2025",
    ],
    ("HubSpot", "contacts.csv"): [
        "Record ID,First Name,Last Name,Email,Lead Status,Lifecycle Stage,State/Region,Unsubscribed from all email,Email hard bounce reason",
        "1,Ina,X,in@a.example,New,Lead,Ohio,,", "2,In,X,in2@a.example,Open,Lead,Ohio,No,", "3,Gus,X,gone@a.example,New,Lead,Ohio,Yes,",
        "4,Bo,X,gone2@a.example,New,Lead,Ohio,,Unknown user",
    ],
    ("HubSpot", "unsubscribes-and-bounces.csv"): [
        "Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce,Marketing Information,Weekly News",
        "gone@a.example,TRUE,FALSE,FALSE,FALSE,FALSE,FALSE", "gone2@a.example,FALSE,TRUE,FALSE,FALSE,TRUE,FALSE", "gone3@a.example,FALSE,FALSE,TRUE,FALSE,FALSE,FALSE",
        "gone23@a.example,FALSE,FALSE,FALSE,TRUE,FALSE,FALSE", "no@a.example,FALSE,FALSE,FALSE,FALSE,FALSE,TRUE",
    ],
    ("Klaviyo", "list.csv"): [
        "Email,Klaviyo ID,First Name,Last Name,State / Region,Email Marketing Consent,Email Marketing Consent Timestamp,Email Suppressions",
        "in@a.example,K1,Ina,X,Ohio,SUBSCRIBED,2025-01-01,[]", "gone@a.example,K2,Gus,X,Ohio,UNSUBSCRIBED,,[]",
        "no@a.example,K3,Ne,X,Ohio,NEVER_SUBSCRIBED,,[]", "no2@a.example,K4,Em,X,Ohio,,,[]", "gone2@a.example,K5,Bo,X,Ohio,SUBSCRIBED,,HARD_BOUNCE",
        "gone3@a.example,K6,Co,X,Ohio,SUBSCRIBED,,SPAM_COMPLAINT",
    ],
    ("Sendy", "news-marked-as-spam.csv"): [
        "Name,Email,Joined,Last activity",
        "Co,gone@a.example,2025-01-01,2025-02-02",
    ],
    ("Sendy", "news-all.csv"): [
        "Name,Email,unsubscribed,bounced,complaint,confirmed",
        "Ina,in@a.example,0,0,0,1", "Gus,gone@a.example,1,0,0,1", "Bo,gone2@a.example,0,1,0,1", "Co,gone3@a.example,0,0,1,1", "Ann,ask@a.example,0,0,0,0",
    ],
    ("Mautic", "contacts.csv"): [
        "id,email,firstname,lastname,points,dateIdentified,dnc",
        "1,in@a.example,Ina,X,5,2025,0", "2,gone@a.example,Gus,X,5,2025,1", "3,gone2@a.example,Bo,X,5,2025,2", "4,gone3@a.example,Ma,X,5,2025,3",
    ],
    ("Campaign Monitor", "list.csv"): [
        "Email Address,Name,Date Subscribed,Status",
        "in@a.example,Ina,2025-01-01,Active", "gone@a.example,Gus,2025-01-01,Unsubscribed", "gone2@a.example,Bo,2025-01-01,Bounced",
        "ask@a.example,Ann,2025-01-01,Unconfirmed", "gone3@a.example,Del,2025-01-01,Deleted",
    ],
    ("The Newsletter plugin", "newsletter.csv"): [
        '"Email";"Name";"Surname";"Gender";"Status";"Date";"Token"',
        '"in@a.example";"Ina";"X";"f";"C";"2025";"t"', '"ask@a.example";"Ann";"X";"f";"S";"2025";"t"', '"gone@a.example";"Gus";"X";"m";"U";"2025";"t"',
        '"gone2@a.example";"Bo";"X";"m";"B";"2025";"t"', '"gone3@a.example";"Co";"X";"m";"P";"2025";"t"',
    ],
    ("Mailman 2", "page of members.csv"): [
        "member address,member name,mod,hide,nomail [reason],ack,not metoo,nodupes,digest,plain,language",
        "in@a.example,Ina,off,off,off,on,off,on,off,off,English (USA)", "gone@a.example,Gus,off,off,on [U],on,off,on,off,off,German",
        "gone2@a.example,Bo,off,off,on [B],on,off,on,off,off,Deutsch", "no@a.example,Ad,off,off,on [A],on,off,on,off,off,French",
    ],
    ("", "Mitglieder von Mailman.csv"): [
        "Adresse,Name,moderiert,versteckt,kein Mail,Sprache", "in@a.example,Ina,off,off,off,Deutsch", "no@a.example,Gus,off,off,[U],Deutsch",
        "no2@a.example,Bo,off,off,on [B],Deutsch",
    ],
    ("Mailman 3", "members of the REST API.csv"): [
        "address,display_name,role,delivery_mode,delivery_status",
        "in@a.example,Ina,MemberRole.member,DeliveryMode.regular,DeliveryStatus.enabled", "gone@a.example,Gus,MemberRole.member,DeliveryMode.regular,DeliveryStatus.by_user",
        "no@a.example,Ne,MemberRole.nonmember,DeliveryMode.regular,DeliveryStatus.enabled",
    ],
    ("MailPoet", "dutch.csv"): [
        '"E-mail","Voornaam","Achternaam","Lijststatus","Globale status","Lijst"', '"in@a.example","I","X","ingeschreven","ingeschreven","N"',
        '"gone@a.example","G","X","uitgeschreven","ingeschreven","N"', '"ask@a.example","A","X","niet bevestigd","niet bevestigd","N"',
    ],
    ("Ghost", "older members.csv"): [
        "email,name,subscribed,created_at,complimentary_plan,stripe_customer_id", "in@a.example,I,true,2025,false,", "gone@a.example,G,false,2025,false,",
    ],
    ("The Newsletter plugin", "newer newsletter.csv"): [
        '"Email";"First name";"Last name";"Gender";"Status";"Date";"Token";"IP"', "in@a.example;I;X;f;C;2025;t;", "gone@a.example;G;X;f;U;2025;t;",
        "gone2@a.example;B;X;f;B;2025;t;", "gone3@a.example;C;X;f;P;2025;t;", "ask@a.example;A;X;f;S;2025;t;",
    ],
    ("CleverReach", "receivers.csv"): [
        "email;registered;activated;deactivated;source", "in@a.example;1735689600;1735689700;0;x", "gone@a.example;1735689600;1735689700;1738368000;x",
        "ask@a.example;1735689600;0;0;x", "gone2@a.example;2025-01-01;2025-01-01;2025-03-03;x", "ask2@a.example;2025-01-01;;;x",
    ],
    ("", "Empfänger.csv"): [
        "E-Mail;Name;Deaktiviert am", "in@a.example;Ina;", "gone@a.example;Gus;03.03.2025",
    ],
    ("", "permissions.csv"): [
        '"Email address","First name","Email status","Email permission status"', "in@a.example,I,Active,Express", "in2@a.example,I,Active,Implied",
        "ask@a.example,I,Active,Pending confirmation", "gone@a.example,G,Unsubscribed,Implied",
    ],
    ("", "a sheet in English.csv"): [
        "Name,E-mail,City,State,Opted out,Bounced,Comment",
        "Ina,in@a.example,Austin,TX,,,", "Gus,gone@a.example,Austin,TX,yes,,", "Bo,gone2@a.example,Austin,TX,,2025-03-03,",
    ],
    ("", "Verteiler.csv"): [
        "Vorname;Nachname;E-Mail;Abgemeldet am;Newsletter",
        "Ina;Groß;in@a.example;;ja", "Gus;G;gone@a.example;03.05.2025;ja", "Otto;O;gone2@a.example;;nein", "In;I;in2@a.example;;wöchentlich",
    ],
    ("", "liste.csv"): [
        "Courriel,Désabonné,Plainte,Statut",
        "in@a.example,non,,actif", "gone@a.example,oui,,actif", "gone2@a.example,,oui,actif", "ask@a.example,,,en attente", "no@a.example,,,bizarre",
    ],
    ("", "lista.csv"): [
        "correo;suscrito;fecha de baja",
        "in@a.example;sí;", "gone@a.example;no;", "gone2@a.example;sí;12/05/2024",
    ],
    ("", "lista polska.csv"): [
        "Adres e-mail;Imię;Stan", "in@a.example;Żaneta;aktywny", "gone@a.example;Łukasz;wypisany",
    ],
    ("", "liste alt.csv"): [
        "Name;Mail;gelöscht;Newsletter-Einwilligung", "Ina;in@a.example;;ja", "Otto;gone@a.example;x;ja", "Ada;gone2@a.example;;nein",
    ],
    ("", "meiru.csv"): [
        "メールアドレス,氏名,配信停止", "in@a.example,太郎,", "gone@a.example,花子,停止",
    ],
    ("", "sheet of a club.csv"): [
        "email,hand,remark,On hold", "in@a.example,left,moved in May,", "no@a.example,right,unsubscribed,", "gone@a.example,right,,2025-01-01",
    ],
    ("", "exclusions.csv"): [
        "email,IsExcludedFromCampaigns,Newsletter opt-in,optin_ip,Consent: Newsletter", "in@a.example,false,yes,192.0.2.1,granted",
        "gone@a.example,true,yes,192.0.2.1,", "gone2@a.example,false,No,192.0.2.1,", "gone3@a.example,false,yes,n/a,withdrawn",
    ],
    ("", "flags.csv"): [
        "email,is_active,email_verified,sms_status,unsubscribe_url,payment_status",
        "in@a.example,true,true,none,https://a.example/u/1,open", "no@a.example,false,true,none,https://a.example/u/2,open",
        "ask@a.example,true,false,none,https://a.example/u/3,open",
    ],
    ("", "marks.csv"): [
        "email,spam complaint,do_not_email,suppressed_at",
        "in@a.example,0,,", "gone@a.example,1,,", "gone2@a.example,,TRUE,", "gone3@a.example,,,2025-01-01T10:00:00Z", "no@a.example,,perhaps,",
    ],
}  # fmt: skip

PLACES = {"in": "added", "ask": "asked", "gone": "departed"}


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("lists")
    return load_settings(write_config(folder, f"sqlite:///{folder}/digest.db"))


@pytest.fixture
def readers(taken: Settings, tmp_path: Path) -> Readers:
    database = Database(f"sqlite:///{tmp_path}/digest.db")
    schema.migrate(database)
    ids = itertools.count()
    return Readers(
        database, taken, taken.web.signing_keys, b"the suppression key",
        lambda: f"{next(ids):026}".translate(TO_BASE32), lambda: f"token {next(ids)}",
    )  # fmt: skip


def take(readers: Readers, file: Path, text: str, options: ImportOptions = DEFAULTS) -> ImportReport:
    file.write_text(text, encoding="utf-8")
    return import_subscribers(readers, file, "world", "Agreed elsewhere", NOW, options=options)


@pytest.mark.parametrize(("tool", "name"), EXPORTS, ids=lambda one: one)
def test_each_tools_rows_are_taken_asked_suppressed_or_refused(
    readers: Readers, tmp_path: Path, tool: str, name: str
) -> None:
    lines = EXPORTS[tool, name]
    report = take(readers, tmp_path / name, "\n".join(lines) + "\n")
    wanted: dict[str, int] = {}
    for line in lines[1:]:
        word = next(
            cell
            for cell in line.replace('"', "").replace(";", ",").replace("\t", ",").split(",")
            if "@" in cell
        )
        place = PLACES.get(word.split("@")[0].rstrip("23"), "rejected_count")
        wanted[place] = wanted.get(place, 0) + 1
    assert report.tool == tool
    places = ("added", "asked", "departed", "rejected_count")
    assert {place: getattr(report, place) for place in places if getattr(report, place)} == wanted, report


@pytest.mark.parametrize("states", [("1", "-1"), ("-1", "1")])
def test_who_left_one_of_several_lists_is_not_taken_from_the_others(
    readers: Readers, tmp_path: Path, states: tuple[str, str]
) -> None:
    head = "name;email;confirmed;enabled;listids;listsubdate;liststatus\n"
    rows = "".join(f"Gus;gus@a.example;1;1;{n};2025-01-01;{state}\n" for n, state in enumerate(states, 1))
    report = take(readers, tmp_path / "acymailing.csv", head + rows)
    assert (report.added, report.departed, report.merged) == (0, 1, 1)


def test_who_left_elsewhere_is_not_revived_by_a_later_list(readers: Readers, tmp_path: Path) -> None:
    take(readers, tmp_path / "a.csv", "email,status\nout@a.example,unsubscribed\nspam@a.example,complained\n")
    report = take(
        readers, tmp_path / "b.csv", "email,name\nin@a.example,Ina\nout@a.example,Otto\nspam@a.example,S\n"
    )
    assert (report.added, report.suppressed) == (1, 2)
    assert "unsubscribed in another tool before" in report.examples["suppressed"][0]
    assert "complained about spam" in report.examples["suppressed"][1]


def test_a_file_that_only_its_name_says_is_of_departures_takes_a_word(
    readers: Readers, tmp_path: Path
) -> None:
    for name in ("bounces-2025.csv", "Unsubscribed.txt", "abgemeldet.csv"):
        with pytest.raises(InputError, match=r"add --state (left|bounced) to keep these addresses out"):
            take(readers, tmp_path / name, "a@a.example\nb@a.example\n")
        with pytest.raises(InputError, match=r"add --state (left|bounced) to keep these addresses out"):
            take(readers, tmp_path / name, "email,name,shoe size\na@a.example,Ann,38\n")
    report = take(
        readers, tmp_path / "Unsubscribed.txt", "a@a.example\n", ImportOptions(state=ListState.LEFT)
    )
    assert report.departed == 1
    report = take(
        readers, tmp_path / "bounces-2025.csv", "b@a.example\n", ImportOptions(state=ListState.ACTIVE)
    )
    assert report.added == 1


def test_a_dry_run_says_what_would_happen_and_changes_nothing(readers: Readers, tmp_path: Path) -> None:
    text = "\n".join(EXPORTS["Kit", "subscribers.csv"]) + "\nIna,in@a.example,active,2025\n"
    first = take(readers, tmp_path / "kit.csv", text, ImportOptions(dry_run=True))
    assert (first.tool, first.states) == ("Kit", ("state",))
    assert first.columns == {"email": "email", "first_name": "first"}
    assert first.examples["departed"][0] == 'line 4: gone@a.example: left: state "cancelled"'
    second = take(readers, tmp_path / "kit.csv", text)
    assert (second.added, second.asked, second.departed, second.merged) == (1, 1, 3, 1)
    assert (first.added, first.asked, first.departed, first.merged) == (1, 1, 3, 1)


def test_the_list_names_the_tool_and_keeps_it_as_the_origin_of_consent(
    readers: Readers, tmp_path: Path
) -> None:
    from digest.tasks.readers.privacy import show

    take(readers, tmp_path / "kit.csv", "\n".join(EXPORTS["Kit", "subscribers.csv"]))
    consent = show(readers, "in@a.example")["consent"]
    assert isinstance(consent, list)
    assert consent[0]["origin"] == {"import": "kit.csv", "tool": "Kit"}


def test_every_tool_names_its_source_and_no_word_means_two_states() -> None:
    catalogue = load_catalogue()
    assert all(tool.source for tool in catalogue.tools)
    assert len(catalogue.tools) >= 20
    assert not catalogue.words.yes & catalogue.words.no
    assert set(catalogue.words.states.values()) == set(ListState)
