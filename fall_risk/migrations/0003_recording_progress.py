"""Recordings are worked on as generations are: with progress, cancelled, making room."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('fall_risk', '0002_report_reads_the_index'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='motionrecording',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='motionrecording',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='motionrecording',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='motionrecording',
            name='attempt',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='motionrecording',
            name='detail',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='motionrecording',
            name='fraction',
            field=models.FloatField(default=0),
        ),
        migrations.AddField(
            model_name='motionrecording',
            name='interruptions',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='motionrecording',
            name='stage',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name='motionrecording',
            name='stepped_aside',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='motionrecordingevent',
            name='attempt',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='motionrecordingevent',
            name='interruptions',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='motionrecordingevent',
            name='stepped_aside',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='motionprofile',
            name='status',
            field=models.CharField(choices=[('queued', 'Waiting'), ('running', 'Being analysed'), ('done', 'Analysed'), ('failed', 'Could not be analysed'), ('cancelled', 'Cancelled')], default='queued', max_length=10),
        ),
        migrations.AlterField(
            model_name='motionrecording',
            name='status',
            field=models.CharField(choices=[('queued', 'Waiting'), ('running', 'Being analysed'), ('done', 'Analysed'), ('failed', 'Could not be analysed'), ('cancelled', 'Cancelled')], default='queued', max_length=10),
        ),
        migrations.AlterField(
            model_name='motionrecordingevent',
            name='status',
            field=models.CharField(choices=[('queued', 'Waiting'), ('running', 'Being analysed'), ('done', 'Analysed'), ('failed', 'Could not be analysed'), ('cancelled', 'Cancelled')], default='queued', max_length=10),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='motionrecording',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "fall_risk_motionrecordingevent" ("assessment_id", "attempt", "confirmed_at", "confirmed_by_id", "created_at", "error", "file_name", "go_s", "id", "interruptions", "kind", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sha256", "status", "stepped_aside", "uploaded_by_id") VALUES (NEW."assessment_id", NEW."attempt", NEW."confirmed_at", NEW."confirmed_by_id", NEW."created_at", NEW."error", NEW."file_name", NEW."go_s", NEW."id", NEW."interruptions", NEW."kind", NEW."patient_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."sha256", NEW."status", NEW."stepped_aside", NEW."uploaded_by_id"); RETURN NULL;', hash='dc8f21b3e1c4ad5b6f52be016ab22372e1f0a93c', operation='INSERT', pgid='pgtrigger_insert_insert_44934', table='fall_risk_motionrecording', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='motionrecording',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."assessment_id" IS DISTINCT FROM (NEW."assessment_id") OR OLD."attempt" IS DISTINCT FROM (NEW."attempt") OR OLD."confirmed_at" IS DISTINCT FROM (NEW."confirmed_at") OR OLD."confirmed_by_id" IS DISTINCT FROM (NEW."confirmed_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."error" IS DISTINCT FROM (NEW."error") OR OLD."file_name" IS DISTINCT FROM (NEW."file_name") OR OLD."go_s" IS DISTINCT FROM (NEW."go_s") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."interruptions" IS DISTINCT FROM (NEW."interruptions") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."sha256" IS DISTINCT FROM (NEW."sha256") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."stepped_aside" IS DISTINCT FROM (NEW."stepped_aside") OR OLD."uploaded_by_id" IS DISTINCT FROM (NEW."uploaded_by_id"))', func='INSERT INTO "fall_risk_motionrecordingevent" ("assessment_id", "attempt", "confirmed_at", "confirmed_by_id", "created_at", "error", "file_name", "go_s", "id", "interruptions", "kind", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sha256", "status", "stepped_aside", "uploaded_by_id") VALUES (NEW."assessment_id", NEW."attempt", NEW."confirmed_at", NEW."confirmed_by_id", NEW."created_at", NEW."error", NEW."file_name", NEW."go_s", NEW."id", NEW."interruptions", NEW."kind", NEW."patient_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."sha256", NEW."status", NEW."stepped_aside", NEW."uploaded_by_id"); RETURN NULL;', hash='34b394adfbbccff8a8e577d6a4430ad94dd01b48', operation='UPDATE', pgid='pgtrigger_update_update_7195e', table='fall_risk_motionrecording', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='motionrecording',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "fall_risk_motionrecordingevent" ("assessment_id", "attempt", "confirmed_at", "confirmed_by_id", "created_at", "error", "file_name", "go_s", "id", "interruptions", "kind", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sha256", "status", "stepped_aside", "uploaded_by_id") VALUES (OLD."assessment_id", OLD."attempt", OLD."confirmed_at", OLD."confirmed_by_id", OLD."created_at", OLD."error", OLD."file_name", OLD."go_s", OLD."id", OLD."interruptions", OLD."kind", OLD."patient_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."sha256", OLD."status", OLD."stepped_aside", OLD."uploaded_by_id"); RETURN NULL;', hash='b67e6219f8d9d02ecf0779dc383b2ffc81a45cab', operation='DELETE', pgid='pgtrigger_delete_delete_37ec2', table='fall_risk_motionrecording', when='AFTER')),
        ),
    ]
