# Makes the repository: files, a commit for each topic by the authors in turn, the branches, and changes to every file.
set -e
git init --quiet --initial-branch=main --template= .
git config gc.auto 0
git config core.logAllRefUpdates false

while read -r path; do
  mkdir -p "$(dirname "$path")"
  echo "# $path" > "$path"
  git add "$path"
done < paths.txt
git commit --quiet --message="Start the project"

number=0
while read -r topic; do
  set -- Add Fix Improve Document Test
  shift $((number % 5))
  author=$(sed -n "$((number % 24 + 1))p" authors.txt)
  number=$((number + 1))
  date=$(printf '2024-05-%02dT09:%02d:00Z' $((number / 2 + 1)) $number)
  echo "- $topic" >> CHANGES.md
  git add CHANGES.md
  GIT_AUTHOR_NAME=$author GIT_AUTHOR_DATE=$date GIT_COMMITTER_DATE=$date git commit --quiet --message="$1 $topic"
done < topics.txt

back=0
while read -r branch; do
  git branch "$branch" "HEAD~$back"
  back=$((back + 1))
done < branches.txt

while read -r path; do
  echo "changed" >> "$path"
done < paths.txt

# What is left is looked through after each command, so let there be few files.
git pack-refs --all
git repack -a -d --quiet
rm authors.txt branches.txt paths.txt topics.txt setup.sh
find .git -type d -empty -delete
mkdir -p .git/refs .git/objects
