from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('procedures', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='case',
            name='days_left',
            field=models.IntegerField(null=True),
        ),
    ]
